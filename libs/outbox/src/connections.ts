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

/** The server has crashed since: what it showed by then may not be true any more. */
export class ServerCrashed extends Error {
  override readonly name = 'ServerCrashed';
  constructor(readonly incarnation: string) {
    super('the database has crashed since its transactions were looked at');
  }
}

export interface Answer<Row> {
  readonly rows: Row[];
  /**
   * Changes when the server crashes. It then gives out transaction ids again that it had given before, where nothing
   * of those transactions had come to its disk: a snapshot of before would take new transactions for old ones.
   */
  readonly incarnation: string;
}

/**
 * Connections of the relay's own: in the service's pool it would queue behind the very transactions whose events it is to
 * send. A cursor may be lost with the server's memory, for what it says is sent again; so its commit waits for no disk.
 * Every statement of the relay has its index, whatever a fresh table's statistics say.
 */
export class Connections {
  private readonly pool: pg.Pool;
  private ended: Promise<void> | undefined;
  /** A connection does not outlive its server's memory, so it is asked once. */
  private readonly incarnations = new WeakMap<pg.PoolClient, string>();

  constructor(dataSource: DataSource, onError: (error: Error) => void) {
    const config = clientConfigOf(dataSource);
    this.pool = new pg.Pool({
      ...config,
      max: CONNECTIONS,
      options: `${config.options ?? ''} -c synchronous_commit=off -c enable_seqscan=off`,
    });
    this.pool.on('error', onError);
    // The pool does not listen to one that is out, and an error that nobody hears ends the process. The work fails of itself.
    this.pool.on('connect', (client) => client.on('error', () => undefined));
  }

  /**
   * @param incarnations of what the statement rests on
   * @throws ServerCrashed where the server is at another one
   */
  query<Row extends pg.QueryResultRow>(
    statement: pg.QueryConfig,
    incarnations: readonly string[],
  ): Promise<Answer<Row>> {
    return this.with(async (client) => {
      const here = await this.incarnationOf(client);
      if (incarnations.some((one) => one !== here)) throw new ServerCrashed(here);
      const { rows } = await client.query<Row>(statement);
      return { rows, incarnation: here };
    });
  }

  /** Runs work in a transaction. */
  inTransaction<T>(work: (query: (statement: string) => Promise<unknown[]>) => Promise<T>): Promise<T> {
    return this.with(async (client) => {
      await client.query('BEGIN');
      const result = await work(async (statement) => (await client.query<Record<string, unknown>>(statement)).rows);
      await client.query('COMMIT');
      return result;
    });
  }

  end(): Promise<void> {
    return (this.ended ??= this.pool.end());
  }

  private async with<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.pool.connect();
    let isClean = false;
    try {
      const result = await work(client);
      isClean = true;
      return result;
    } finally {
      // What failed may be in the middle of a transaction, or dead.
      client.release(!isClean);
    }
  }

  private async incarnationOf(client: pg.PoolClient): Promise<string> {
    const known = this.incarnations.get(client);
    if (known !== undefined) return known;
    await client.query('INSERT INTO outbox_incarnation DEFAULT VALUES ON CONFLICT DO NOTHING');
    const [row] = (await client.query<{ id: string }>('SELECT id FROM outbox_incarnation')).rows;
    if (row === undefined) throw new Error('the incarnation of the database is not to be seen');
    this.incarnations.set(client, row.id);
    return row.id;
  }
}
