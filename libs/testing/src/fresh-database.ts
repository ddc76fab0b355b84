import { randomBytes } from 'node:crypto';
import { DataSource, type DataSourceOptions, type MigrationInterface } from 'typeorm';
import { inject } from 'vitest';
import './provided.js';

/** Creates an empty database of its own and returns its URL, for the superuser `admin`. */
export async function freshDatabaseUrl(): Promise<string> {
  const admin = new DataSource({ type: 'postgres', url: inject('stack').postgres.admin, poolSize: 1 });
  await admin.initialize();
  const name = `test_${randomBytes(6).toString('hex')}`;
  try {
    await admin.query(`CREATE DATABASE ${name}`);
  } finally {
    await admin.destroy();
  }
  const url = new URL(inject('stack').postgres.admin);
  url.pathname = `/${name}`;
  return url.href;
}

/**
 * A database of the spec file's own with these migrations run, so that files can run side by side. Call
 * `destroy()` on it in `afterAll`; the database itself goes with the stack.
 */
export async function freshDatabase(
  migrations: readonly (new () => MigrationInterface)[],
  options: { entities?: DataSourceOptions['entities']; poolSize?: number } = {},
): Promise<DataSource> {
  const dataSource = new DataSource({
    type: 'postgres',
    url: await freshDatabaseUrl(),
    migrations: [...migrations],
    poolSize: options.poolSize ?? 20,
    invalidWhereValuesBehavior: { null: 'throw', undefined: 'throw' },
    ...(options.entities !== undefined && { entities: options.entities }),
  });
  await dataSource.initialize();
  await dataSource.runMigrations({ transaction: 'each' });
  return dataSource;
}
