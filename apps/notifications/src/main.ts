import 'reflect-metadata';
import { runNotifications } from './run.js';
import { readSettings } from './config.js';

await runNotifications(readSettings());
