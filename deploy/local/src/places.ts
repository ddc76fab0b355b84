import { join } from 'node:path';

/** The repository's folder; this file lies equally deep in `src` and in `dist`. */
export const ROOT = join(import.meta.dirname, '../../..');

/** Where everything that this machine makes for itself lies. */
export const DOT_CASTIRON = join(ROOT, '.castiron');

/** What was downloaded, shared by `npm start` and all test runs. */
export const CACHE = join(DOT_CASTIRON, 'cache');
