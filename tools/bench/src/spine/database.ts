import { createLogger } from '@castiron/observability';
import { inboxMigrations } from '@castiron/inbox';
import { outboxMigrations } from '@castiron/outbox';
import { createDataSource } from '@castiron/service';
import type { DataSource } from 'typeorm';

export const silent = createLogger('bench', process.env['LOG_LEVEL'] ?? 'silent');

/** Connects as a service does, which has fewer connections than the bench has clients. */
export const connected = (url: string): Promise<DataSource> =>
  createDataSource(url, [...outboxMigrations, ...inboxMigrations], silent).initialize();

export async function withDatabase<T>(url: string, work: (dataSource: DataSource) => Promise<T>): Promise<T> {
  const dataSource = await connected(url);
  try {
    return await work(dataSource);
  } finally {
    await dataSource.destroy();
  }
}

/** Makes an empty database with the tables of the spine and two of a service: one to write, one for effects. */
export async function makeDatabase(admin: string, name: string): Promise<string> {
  await withDatabase(admin, (dataSource) => dataSource.query(`CREATE DATABASE ${name}`));
  const url = new URL(admin);
  url.pathname = `/${name}`;
  await withDatabase(url.href, async (dataSource) => {
    await dataSource.runMigrations();
    await dataSource.query(
      `CREATE TABLE orders (id bigserial PRIMARY KEY, customer uuid NOT NULL, note text NOT NULL)`,
    );
    await dataSource.query(`CREATE TABLE effects (consumer text, customer uuid, version int, body text)`);
  });
  return url.href;
}
