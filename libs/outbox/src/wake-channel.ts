import type { Duplex } from 'node:stream';
import pg from 'pg';
import { ownConnection } from './connections.js';

const CHANNEL = 'castiron_outbox';
/** A notification inside each transaction would halve the commits; after them, this many are plenty. */
const EVERY_MS = 5;
/** Who takes longer is taken for gone. */
const ANSWERS_MS = 2_000;
/** From one try to connect to the next: one that is refused at once would be tried with each event. */
const TRY_EVERY_MS = 1_000;
const GOODBYE_MS = 1_000;

/**
 * Tells other processes that there is something to send, on a connection of its own. Only a hint: who misses one finds
 * the rows with the next poll, so errors end in silence.
 */
export class WakeChannel {
  private client: pg.Client | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isDue = false;
  private isTelling = false;
  private closed = false;
  private triedAt = -Infinity;

  constructor(
    private readonly database: pg.PoolConfig,
    private readonly onWake: () => void,
  ) {}

  /** Connects where there is no connection, at most once a second; to be called now and then. */
  async open(): Promise<void> {
    const now = performance.now();
    if (this.client !== undefined || this.closed || now - this.triedAt < TRY_EVERY_MS) return;
    this.triedAt = now;
    const client = new pg.Client(ownConnection(this.database));
    this.client = client;
    const lost = (): void => {
      if (this.client === client) this.client = undefined;
    };
    client.on('error', lost);
    client.on('end', lost);
    client.on('notification', () => this.onWake());
    try {
      await client.connect();
      await ask(client, `LISTEN ${CHANNEL}`);
    } catch {
      lost();
      await client.end().catch(() => undefined);
    }
  }

  notify(): void {
    this.isDue = true;
    if (this.timer !== undefined || this.isTelling) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      void this.tell();
    }, EVERY_MS);
  }

  /** One at a time: behind a connection that nobody answers on, they would pile up. */
  private async tell(): Promise<void> {
    const { client } = this;
    this.isDue = false;
    if (client === undefined) return;
    this.isTelling = true;
    await ask(client, `NOTIFY ${CHANNEL}`).catch(() => undefined);
    this.isTelling = false;
    if (this.isDue && !this.closed) this.notify();
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    const { client } = this;
    if (client === undefined) return;
    // Who does not answer any more does not say goodbye either.
    const timer = setTimeout(() => streamOf(client).destroy(), GOODBYE_MS);
    await client.end().catch(() => undefined);
    clearTimeout(timer);
  }
}

/** Cuts a connection on which nobody answers. */
async function ask(client: pg.Client, statement: string): Promise<void> {
  const late = setTimeout(() => streamOf(client).destroy(), ANSWERS_MS);
  await client.query(statement).finally(() => clearTimeout(late));
}

/** pg does not offer it in its types. */
const streamOf = (client: pg.Client): Duplex =>
  (client as unknown as { connection: { stream: Duplex } }).connection.stream;
