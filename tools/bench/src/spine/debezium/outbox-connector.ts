import pg from 'pg';
import type { Bench } from '../bench.js';
import type { ConnectWorker } from './connect-worker.js';

const WITHIN_MS = 30_000;
const PAUSE_MS = 50;
/** What a new connector is given to send. */
export const FIRST_ROWS = 1000;

/** What every outbox with Debezium says: which rows, and how they become messages. */
const ROUTER = {
  transforms: 'outbox,headers',
  'transforms.outbox.type': 'io.debezium.transforms.outbox.EventRouter',
  'transforms.outbox.table.field.event.id': 'event_id',
  'transforms.outbox.table.field.event.key': 'aggregateid',
  'transforms.outbox.table.field.event.payload': 'payload',
  'transforms.outbox.route.by.field': 'aggregatetype',
  'transforms.outbox.route.topic.replacement': '${routedByValue}',
  'transforms.outbox.table.fields.additional.placement': 'headers:header,id:header:ce_sequence',
  'transforms.headers.type': 'castiron.HeadersOfColumn',
};

/** Without a setting for speed. */
const DEFAULT = {};

/**
 * As one who knows it sets it up: large batches, a queue that holds several of them, asked often; several requests of the
 * producer under way, in order since it is idempotent. Asked more often, and without a wait of the producer, half of the
 * events come sooner and the slowest later, for there are more requests (docs/performance.md).
 */
const TUNED = {
  'max.batch.size': '8192',
  'max.queue.size': '32768',
  'poll.interval.ms': '5',
  'skipped.operations': 'u,d,t',
  'tombstones.on.delete': 'false',
  'producer.override.enable.idempotence': 'true',
  'producer.override.max.in.flight.requests.per.connection': '5',
  'producer.override.linger.ms': '1',
  'producer.override.batch.size': '262144',
  'producer.override.buffer.memory': '134217728',
  'producer.override.compression.type': 'none',
};

export type Tuning = 'tuned' | 'default';
const SETTINGS: Readonly<Record<Tuning, Readonly<Record<string, string>>>> = { tuned: TUNED, default: DEFAULT };

async function until(what: string, done: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + WITHIN_MS;
  while (!(await done())) {
    if (Date.now() > deadline) throw new Error(`Debezium: ${what} took longer than ${WITHIN_MS / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** Debezium's connector on the outbox of one database, with a publication and a replication slot of its own. */
export class OutboxConnector {
  private readonly name: string;

  private constructor(
    readonly worker: ConnectWorker,
    private readonly client: pg.Client,
    private readonly database: string,
    readonly tuning: Tuning,
  ) {
    this.name = `${database}_${tuning}`;
  }

  /**
   * Makes it, paused. From now on its slot keeps what is committed.
   * It has sent some first rows: only with rows does it write down where it stands.
   */
  static async make(bench: Bench, url: string, tuning: Tuning): Promise<OutboxConnector> {
    const { debezium: worker } = bench;
    if (worker === undefined) throw new Error('Debezium does not run');
    const { hostname, port, username, password, pathname } = new URL(url);
    const client = new pg.Client({ connectionString: url });
    // Where the bench ends early, the database goes first; what went wrong is to be told, not that.
    client.on('error', () => undefined);
    await client.connect();
    const it = new OutboxConnector(worker, client, pathname.slice(1), tuning);
    // Rows show under the table's name, whatever partition holds them, and dropping one tells nobody anything.
    await client.query(
      `CREATE PUBLICATION ${it.name} FOR TABLE outbox (id, event_id, aggregatetype, aggregateid, payload, headers)
       WITH (publish = 'insert', publish_via_partition_root = true)`,
    );
    await client.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [it.name]);
    await worker.ask('POST', '/connectors', {
      name: it.name,
      initial_state: 'STOPPED',
      config: {
        'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
        'database.hostname': hostname,
        'database.port': port,
        'database.user': decodeURIComponent(username),
        'database.password': decodeURIComponent(password),
        'database.dbname': it.database,
        'topic.prefix': it.name,
        'plugin.name': 'pgoutput',
        'slot.name': it.name,
        'publication.name': it.name,
        'publication.autocreate.mode': 'disabled',
        'table.include.list': 'public.outbox',
        'snapshot.mode': 'no_data',
        ...ROUTER,
        ...SETTINGS[tuning],
      },
    });
    const first = await bench.topic(url, `first-${it.name.replaceAll('_', '-')}`);
    await it.resume();
    await (await bench.side('writer')).ask('fill', { ...first, count: FIRST_ROWS });
    await until('sending the first rows', async () => (await bench.recordsOn(first.topic)) === FIRST_ROWS);
    await it.pause();
    return it;
  }

  /** Returns once it reads. */
  async resume(): Promise<void> {
    await this.worker.ask('PUT', `/connectors/${this.name}/resume`);
    await until('starting', async () => {
      const { tasks } = (await this.worker.ask('GET', `/connectors/${this.name}/status`)) as {
        tasks: { state: string; trace?: string }[];
      };
      for (const { trace } of tasks) if (trace !== undefined) throw new Error(`Debezium: ${trace}`);
      return this.slotIsActive();
    });
  }

  /** Returns once it reads no more and has written down how far it came. */
  async pause(): Promise<void> {
    await this.worker.ask('PUT', `/connectors/${this.name}/stop`);
    await until('stopping', async () => !(await this.slotIsActive()));
  }

  /** Leaves nothing behind: a slot that nobody reads keeps PostgreSQL's log for ever. */
  async drop(): Promise<void> {
    await this.worker.ask('DELETE', `/connectors/${this.name}`);
    await until('stopping', async () => !(await this.slotIsActive()));
    await this.client.query(`SELECT pg_drop_replication_slot($1)`, [this.name]);
    await this.client.query(`DROP PUBLICATION ${this.name}`);
    await this.client.end();
  }

  private async slotIsActive(): Promise<boolean> {
    const { rows } = await this.client.query<{ active: boolean }>(
      `SELECT active FROM pg_replication_slots WHERE slot_name = $1`,
      [this.name],
    );
    return rows[0]?.active ?? false;
  }
}
