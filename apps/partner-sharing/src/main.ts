import 'reflect-metadata';
import { readSettings } from './config.js';
import { runPartnerSharing } from './run.js';

await runPartnerSharing(readSettings());
