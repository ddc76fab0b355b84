import { once } from 'node:events';
import pg from 'pg';
import { HeardClient } from './heard-client.js';
import { refusePooler } from './refuse-pooler.js';

/** A connection of the relay's, as PostgreSQL is to see it. */
export const ownConnection = (database: pg.PoolConfig): pg.PoolConfig => ({
  connectionTimeoutMillis: 2_000,
  keepAlive: true,
  // One that listens says nothing for long, and may be forgotten on its way.
  keepAliveInitialDelayMillis: 30_000,
  ...database,
  application_name: 'castiron-outbox',
});

/** One reads ahead while one writes cursors, and one more looks after partitions. */
const CONNECTIONS = 3;

/** The server has crashed since, or another answers: what it showed by then may not be true any more. */
export class ServerCrashed extends Error {
  override readonly name = 'ServerCrashed';
  constructor(readonly incarnation: string) {
    super('the database has crashed or is another one since its transactions were looked at');
  }
}

/** Asks within a transaction. */
export type Query = <Row extends pg.QueryResultRow>(statement: string, values?: unknown[]) => Promise<Row[]>;

interface Answer<Row> {
  readonly rows: Row[];
  /**
   * Changes when the server crashes. It then gives out transaction ids again that it had given before, where nothing
   * of those transactions had come to its disk: a snapshot of before would take new transactions for old ones. It changes
   * too when another cluster answers in its place, whose ids are others altogether; when the server was started again, for its
   * disk may have been set back; and when the lanes were restored, for their tokens were.
   */
  readonly incarnation: string;
}

/**
 * A cursor may be lost with the server's memory, for what it says is sent again; so its commit waits for no disk.
 * Every statement has its index. But statistics of the outbox are always old, and the planner takes the few new rows for a
 * third of the table: it would read all of it, start processes to share the work, or compile the plan, hundreds of times a
 * second. Or it takes many for a handful, and would read and sort a whole window of ids for each page instead of walking along
 * them.
 */
const SETTINGS = `
  SET synchronous_commit = off;
  SET enable_seqscan = off;
  SET enable_sort = off;
  SET jit = off;
  SET max_parallel_workers_per_gather = 0;
  SET plan_cache_mode = force_generic_plan`;

/**
 * Connections of the relay's own: in the service's pool it would queue behind the very transactions whose events it is to
 * send.
 */
export class Connections {
  private readonly pool: pg.Pool;
  private ended: Promise<void> | undefined;
  /** A connection does not outlive its server's memory, so it is asked once. */
  private readonly incarnations = new WeakMap<pg.PoolClient, string>();

  constructor(database: pg.PoolConfig, onError: (error: Error) => void) {
    this.pool = new pg.Pool({ Client: HeardClient, ...ownConnection(database), max: CONNECTIONS });
    this.pool.on('error', onError);
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
      const here = await this.check(client, incarnations);
      const { rows } = await client.query<Row>(statement);
      return { rows, incarnation: here };
    });
  }

  /** The same, row by row as they come, each a list of its columns: what is made of them is all that stays. */
  read<Row extends readonly unknown[]>(
    statement: pg.QueryConfig,
    incarnations: readonly string[],
    take: (row: Row) => void,
  ): Promise<void> {
    return this.with(async (client) => {
      await this.check(client, incarnations);
      const asList: pg.QueryArrayConfig = { ...statement, rowMode: 'array' };
      const query = client.query(new pg.Query(asList));
      let failed: { error: unknown } | undefined;
      query.on('row', (row: unknown) => {
        // Thrown to who reads the socket, it would end the process.
        try {
          if (failed === undefined) take(row as Row);
        } catch (error) {
          failed = { error };
        }
      });
      await once(query, 'end');
      if (failed !== undefined) throw failed.error;
    });
  }

  /**
   * Runs work in a transaction.
   * @param incarnations of what the work rests on
   * @throws ServerCrashed where the server is at another one
   */
  inTransaction<T>(
    work: (query: Query, incarnation: string) => Promise<T>,
    incarnations: readonly string[],
  ): Promise<T> {
    return this.with(async (client) => {
      const here = await this.check(client, incarnations);
      // Named, for the database may begin with another: what is looked at again after a lock needs a snapshot of then.
      await client.query('BEGIN ISOLATION LEVEL READ COMMITTED');
      const result = await work(
        async <Row extends pg.QueryResultRow>(statement: string, values?: unknown[]) =>
          (await client.query<Row>(statement, values)).rows,
        here,
      );
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

  private async check(client: pg.PoolClient, incarnations: readonly string[]): Promise<string> {
    const here = await this.incarnationOf(client);
    if (incarnations.some((one) => one !== here)) throw new ServerCrashed(here);
    return here;
  }

  private async incarnationOf(client: pg.PoolClient): Promise<string> {
    const known = this.incarnations.get(client);
    if (known !== undefined) return known;
    await refusePooler(client);
    // Not given with the address, whose own `options` would be there in their place.
    await client.query(SETTINGS);
    await client.query('INSERT INTO outbox_incarnation DEFAULT VALUES ON CONFLICT DO NOTHING');
    const [row] = (
      await client.query<{ id: string }>(
        `SELECT concat_ws('/', system_identifier, extract(epoch FROM pg_postmaster_start_time()), 'outbox_lanes'::regclass::oid, id) AS id
         FROM outbox_incarnation, pg_control_system()`,
      )
    ).rows;
    if (row === undefined) throw new Error('the incarnation of the database is not to be seen');
    this.incarnations.set(client, row.id);
    return row.id;
  }
}
