import { DataSource } from 'typeorm';
import { afterAll, beforeAll, inject } from 'vitest';
import './provided.js';

/** Any number, of our own. */
const LOCK = 5;
/** More than all files together take. */
const WITHIN_MS = 600_000;

let holder: DataSource;

// Files that use one system have their turns, whatever runs beside them: they hold up its parts, and look at all that it did.
beforeAll(async () => {
  const { admin } = inject('stack').postgres;
  // The one connection keeps the lock until it ends.
  holder = await new DataSource({ type: 'postgres', url: admin, poolSize: 1 }).initialize();
  await holder.query('SELECT pg_advisory_lock($1)', [LOCK]);
}, WITHIN_MS);

afterAll(() => holder.destroy());
