import pg from 'pg';
import type { DataSource } from 'typeorm';

/** How to reach the database of a DataSource beside its pool. */
export function clientConfigOf(dataSource: DataSource): pg.ClientConfig {
  const { options } = dataSource;
  if (options.type !== 'postgres') throw new TypeError('the outbox needs PostgreSQL');
  const password = typeof options.password === 'string' ? options.password : undefined;
  return {
    ...(options.extra as pg.ClientConfig | undefined),
    ...(options.url !== undefined
      ? { connectionString: options.url }
      : { host: options.host, port: options.port, user: options.username, password, database: options.database }),
    application_name: 'castiron-outbox',
    connectionTimeoutMillis: 2_000,
    keepAlive: true,
  };
}

/** One reads ahead while one writes cursors, and one more looks after partitions. */
const CONNECTIONS = 3;

/**
 * Connections of the relay's own: in the service's pool it would queue behind the very transactions whose events it is to
 * send. A cursor may be lost with the server's memory, for what it says is sent again; so its commit waits for no disk.
 * Every statement of the relay has its index, whatever a fresh table's statistics say.
 */
export function openPool(dataSource: DataSource, onError: (error: Error) => void): pg.Pool {
  const config = clientConfigOf(dataSource);
  const pool = new pg.Pool({
    ...config,
    max: CONNECTIONS,
    options: `${config.options ?? ''} -c synchronous_commit=off -c enable_seqscan=off`,
  });
  pool.on('error', onError);
  return pool;
}

/** Runs work in a transaction. */
export async function inTransaction<T>(
  pool: pg.Pool,
  work: (query: (statement: string) => Promise<unknown[]>) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let broken = true;
  try {
    await client.query('BEGIN');
    const result = await work(async (statement) => (await client.query<Record<string, unknown>>(statement)).rows);
    await client.query('COMMIT');
    broken = false;
    return result;
  } catch (error) {
    await client.query('ROLLBACK').then(
      () => (broken = false),
      () => undefined,
    );
    throw error;
  } finally {
    client.release(broken);
  }
}
