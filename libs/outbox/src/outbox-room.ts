import { NoRoom } from '@castiron/failures';
import type { Logger, Metrics } from '@castiron/observability';
import type { OutboxPort, PendingEvent } from '@castiron/transactions';
import type { DataSource } from 'typeorm';

/** How often the outbox is measured where something is written into it or waits there. */
const SAMPLE_MS = 1_000;
/** And otherwise, for the gauge: another process may have left something in it. In samples. */
const SELDOM = 10;

/**
 * How many ids lie between the oldest event that is not settled and the newest one. Not exactly the events that wait, but
 * what the table cannot drop yet: one lane that stands still keeps all that came after. Two probes of an index for each
 * place at which lanes stand, however much waits and however long a transaction is open: what a snapshot does not show is
 * what it names as under way, and what is younger. A probe that finds nothing for its lanes passes what others got since
 * those were last written, which is soon after anything was sent.
 */
export async function unsettledIds(dataSource: Pick<DataSource, 'query'>): Promise<number> {
  const firstOf = (xids: string): string =>
    `SELECT id - 1 FROM outbox WHERE settled = reading AND ${xids} AND lane = ANY (lanes) ORDER BY xid LIMIT 1`;
  const [row] = await dataSource.query<{ ids: string }[]>(
    `SELECT greatest(0, coalesce((SELECT last_value FROM outbox_id) - min(before), 0)) AS ids
     FROM (SELECT settled::text AS settled, reading::text AS reading, last_id, array_agg(lane) AS lanes
           FROM outbox_lanes GROUP BY 1, 2, 3) AS place,
       LATERAL (SELECT last_id AS before WHERE settled <> reading
         UNION ALL (${firstOf(`xid >= pg_snapshot_xmax(settled::pg_snapshot)`)})
         UNION ALL (${firstOf(`xid = ANY (ARRAY(SELECT pg_snapshot_xip(settled::pg_snapshot)))`)})) AS first`,
  );
  return Number(row?.ids ?? 0);
}

export interface OutboxRoomOptions {
  readonly dataSource: DataSource;
  /** Ids of {@link unsettledIds} from which on only what takes away is let in. */
  readonly limit: number;
  readonly logger: Logger;
  readonly metrics?: Metrics;
}

/**
 * Whether the outbox has room for what adds or widens. Measured once a second while events come, so what comes in one
 * second may go beyond. What takes away has no limit: there is only so much to take away, and it must never be refused for
 * this.
 */
export class OutboxRoom {
  private size = 0;
  private isWritten = false;
  private samples = 0;
  private timer: NodeJS.Timeout | undefined;
  private measuring: Promise<void> | undefined;

  constructor(private readonly options: OutboxRoomOptions) {
    options.metrics
      ?.gauge('castiron_outbox_limit', 'Ids of castiron_outbox_unsettled from which on what adds or widens is refused')
      .set(options.limit);
  }

  async start(): Promise<void> {
    await this.measure();
    this.timer = setInterval(() => {
      this.samples += 1;
      // One at a time: a silent database lets each of them wait for long.
      if (this.measuring !== undefined) return;
      if (!this.isWritten && this.size === 0 && this.samples % SELDOM > 0) return;
      this.isWritten = false;
      this.measuring = this.measure().finally(() => (this.measuring = undefined));
    }, SAMPLE_MS);
    this.timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.measuring;
  }

  get isFull(): boolean {
    return this.size >= this.options.limit;
  }

  /** @throws NoRoom where the outbox is full */
  assertRoom(): void {
    if (this.isFull) throw new NoRoom('the outbox is full');
  }

  /** The outbox behind this limit. */
  before(outbox: OutboxPort): OutboxPort {
    return {
      append: (events) => {
        this.admit(events);
        this.isWritten = true;
        return outbox.append(events);
      },
      wake: () => outbox.wake(),
    };
  }

  private admit(events: readonly PendingEvent[]): void {
    if (events.some(({ reserved }) => reserved !== true)) this.assertRoom();
  }

  private async measure(): Promise<void> {
    const { dataSource, metrics, logger, limit } = this.options;
    const wasFull = this.isFull;
    try {
      this.size = await unsettledIds(dataSource);
    } catch {
      // The database is away: whoever wants to write finds out, and the next look is in a second.
      return;
    }
    metrics
      ?.gauge('castiron_outbox_unsettled', 'Ids from the oldest event that is not settled to the newest')
      .set(this.size);
    if (this.isFull === wasFull) return;
    const told = { unsettled: this.size, limit };
    if (this.isFull) logger.warn(told, 'the outbox is full: what adds or widens is refused');
    else logger.info(told, 'the outbox has room again');
  }
}
