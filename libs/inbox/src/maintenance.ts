import { RETENTION_DAYS } from '@castiron/contracts';
import type { Logger, Metrics } from '@castiron/observability';
import type { DataSource } from 'typeorm';
import { BY_ITSELF } from './parked-actions.js';
import { endInSlices } from './parked-messages.js';
import { createPartitions, dropOldWeeks, forgetOldIdsOfNoWeek } from './partitions.js';

/** Parked messages end after this many days, with an alarm at half that time. */
const PARKED_DAYS = 30;
const EVERY_MS = 3_600_000;
const MEASURE_MS = 15_000;

/** Keeps the inbox's tables from growing, and ends what was parked for too long. */
export class Maintenance {
  private timers: NodeJS.Timeout[] = [];
  private working: Promise<void> = Promise.resolve();

  constructor(
    private readonly options: { name: string; dataSource: DataSource; logger: Logger; metrics?: Metrics | undefined },
  ) {}

  async start(): Promise<void> {
    await this.once();
    this.every(EVERY_MS, () => this.once());
    this.every(MEASURE_MS, () => this.attempt(() => this.measure()));
  }

  async stop(): Promise<void> {
    this.timers.forEach((timer) => clearInterval(timer));
    await this.working;
  }

  private every(ms: number, work: () => Promise<void>): void {
    let busy = false;
    const timer = setInterval(() => {
      if (busy) return;
      busy = true;
      this.working = Promise.all([
        this.working,
        work().finally(() => {
          busy = false;
        }),
      ]).then(() => undefined);
    }, ms);
    timer.unref();
    this.timers.push(timer);
  }

  /** Each by itself: what was parked ends in time, whatever becomes of the partitions. */
  private async once(): Promise<void> {
    const { dataSource } = this.options;
    const now = new Date();
    await this.attempt(() => this.endParked());
    await this.attempt(() => dataSource.transaction((manager) => createPartitions(manager.query.bind(manager), now)));
    const days = RETENTION_DAYS + PARKED_DAYS;
    await this.attempt(() => dataSource.transaction((manager) => dropOldWeeks(manager.query.bind(manager), now, days)));
    await this.attempt(() => forgetOldIdsOfNoWeek(dataSource.query.bind(dataSource), days));
  }

  private async attempt(work: () => Promise<unknown>): Promise<void> {
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
    const { dataSource, logger, name } = this.options;
    const tooOld = [`parked_at < now() - $2::int * interval '1 day'`, PARKED_DAYS] as const;
    const end = { endedReason: 'expired', actor: BY_ITSELF, why: 'expired' };
    for await (const expired of endInSlices(dataSource, name, tooOld, end)) {
      for (const message of expired) logger.error(message, 'a parked message expired unhandled');
    }
    const old = await this.measure();
    if (old > 0) logger.warn({ messages: old }, 'parked messages have used up half of their time');
  }

  /** @returns how many have used up half of their time */
  private async measure(): Promise<number> {
    const { dataSource, metrics, name } = this.options;
    const rows = await dataSource.query<{ reason: string; parked: number; oldest: number; old: number }[]>(
      `SELECT reason, count(*)::int AS parked, extract(epoch FROM now() - min(parked_at))::float8 AS oldest,
         count(*) FILTER (WHERE parked_at < now() - $2::int * interval '12 hours')::int AS old
       FROM parked_messages WHERE consumer = $1 AND state = 'parked' GROUP BY reason`,
      [name, PARKED_DAYS],
    );
    const old = rows.reduce((sum, row) => sum + row.old, 0);
    const parked = metrics?.gauge('castiron_inbox_parked', 'Messages that wait parked', ['reason']);
    const oldest = metrics?.gauge('castiron_inbox_parked_oldest_seconds', 'Age of the oldest parked message', [
      'reason',
    ]);
    // Reasons that are no more must not keep their last figure.
    parked?.reset();
    oldest?.reset();
    for (const row of rows) {
      parked?.set({ reason: row.reason }, row.parked);
      oldest?.set({ reason: row.reason }, row.oldest);
    }
    metrics?.gauge('castiron_inbox_parked_half_time', 'Parked messages past half of their time: act now').set(old);
    return old;
  }
}
