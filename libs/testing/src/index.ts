export { startFurtherPostgres } from '@castiron/local-stack';
import './provided.js';

export { openDatabaseValve, type DatabaseValve } from './database-valve.js';
export { eventually } from './eventually.js';
export { freshDatabase, freshDatabaseUrl } from './fresh-database.js';
export { uniqueSlug } from './unique-slug.js';
