import { RETENTION_DAYS } from '@castiron/contracts';
import type { Logger, Metrics } from '@castiron/observability';
import type { DataSource } from 'typeorm';
import { createPartitions, forgetOldIds } from './partitions.js';

/** Parked messages end after this many days, with an alarm at half that time. */
const PARKED_DAYS = 30;
const EVERY_MS = 3_600_000;

/** Keeps the inbox's tables from growing, and ends what was parked for too long. */
export class Maintenance {
  private timer: NodeJS.Timeout | undefined;
  private working: Promise<void> = Promise.resolve();

  constructor(
    private readonly options: { name: string; dataSource: DataSource; logger: Logger; metrics?: Metrics | undefined },
  ) {}

  async start(): Promise<void> {
    await this.once();
    this.timer = setInterval(() => {
      this.working = this.once();
    }, EVERY_MS);
    this.timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.working;
  }

  /** Each by itself: what was parked ends in time, whatever becomes of the partitions. */
  private async once(): Promise<void> {
    const { dataSource } = this.options;
    const now = new Date();
    await this.attempt(() => this.endParked());
    await this.attempt(() => dataSource.transaction((manager) => createPartitions(manager.query.bind(manager), now)));
    await this.attempt(() =>
      dataSource.transaction((manager) => forgetOldIds(manager.query.bind(manager), now, RETENTION_DAYS + PARKED_DAYS)),
    );
  }

  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.options.logger.warn(
        { err: error },
        'the tables of the inbox could not be looked after; they are tried again',
      );
    }
  }

  private async endParked(): Promise<void> {
    const { dataSource, logger, metrics, name } = this.options;
    const [expired] = await dataSource.query<[{ id: string }[], number]>(
      `UPDATE parked_messages SET state = 'discarded', ended_reason = 'expired', ended_at = now(), sealed = NULL
       WHERE consumer = $1 AND state = 'parked' AND parked_at < now() - $2::int * interval '1 day'
       RETURNING id, topic, type, reason`,
      [name, PARKED_DAYS],
    );
    for (const message of expired) logger.error(message, 'a parked message expired unhandled');
    const [row] = await dataSource.query<{ parked: number; old: number }[]>(
      `SELECT count(*)::int AS parked, count(*) FILTER (WHERE parked_at < now() - $2::int * interval '12 hours')::int AS old
       FROM parked_messages WHERE consumer = $1 AND state = 'parked'`,
      [name, PARKED_DAYS],
    );
    metrics?.gauge('castiron_inbox_parked', 'Messages that wait parked').set(row?.parked ?? 0);
    if ((row?.old ?? 0) > 0) logger.error({ messages: row?.old }, 'parked messages have used up half of their time');
  }
}
