import { sendDeadlineOf, type Kafka, type Producer } from '@castiron/kafka';
import type { Logger, Metrics } from '@castiron/observability';
import type { OutboxPort } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import { appendToOutbox } from './append.js';
import { restartAfterRestore } from './cluster-identity.js';
import {
  claimLanes,
  LEASE_MS,
  lookForNews,
  PAGE,
  readPage,
  releaseLanes,
  writeCursors,
  type LaneCursor,
} from './lane-cursors.js';
import { LANES } from './lanes.js';
import { createPartitions, dropSettledPartition } from './partitions.js';
import { WakeChannel } from './wake-channel.js';

/** The net under all wake-ups. */
const POLL_MS = 1_000;
const MAX_BACKOFF_MS = 3_000;
const MAINTENANCE_MS = 10_000;
/** Of the lease: renewed when this part of it is over, and nothing is sent in the last part but a send's own time. */
const RENEW = 0.3;
const SPARE = 0.1;

export interface RelayOptions {
  readonly dataSource: DataSource;
  readonly kafka: Kafka;
  readonly logger: Logger;
  readonly metrics?: Metrics;
  /** How long a silent process keeps its lanes, in ms. Kafka's settings must say the same. Default {@link LEASE_MS}. */
  readonly leaseMs?: number;
}

/** A lane that this process holds. */
interface Lane extends LaneCursor {
  /** After a failed send a lane goes by itself, so that one that cannot be sent holds up no other. */
  alone: boolean;
  failures: number;
  retryAt: number;
}

/**
 * Sends committed events to their topics, each at least once and in order per key. One per process; of several
 * processes one holds a lane at a time, and the others step in when its lease ends.
 */
export class Relay implements OutboxPort {
  readonly append = appendToOutbox;
  private readonly producer: Producer;
  private readonly channel: WakeChannel;
  private lanes: Lane[] = [];
  private leaseUntil = 0;
  private readonly leaseMs: number;
  private running: Promise<void> | undefined;
  private stopping = false;
  private woken = false;
  private rouse: () => void = () => undefined;
  private maintainedAt = 0;

  constructor(private readonly options: RelayOptions) {
    this.leaseMs = options.leaseMs ?? LEASE_MS;
    this.producer = options.kafka.producer();
    this.channel = new WakeChannel(options.dataSource, () => this.wakeHere());
  }

  /** Makes room in the table, then sends in the background until it is stopped. */
  async start(): Promise<void> {
    if (await restartAfterRestore(this.options.dataSource)) {
      this.options.logger.warn('the database comes from another cluster: all events left in the outbox are sent again');
    }
    await this.maintain();
    await this.channel.open();
    this.running = this.loop();
  }

  /** Ends the send under way and lets go of the lanes. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.wakeHere();
    await this.running;
    await this.channel.close();
    await this.producer.close();
  }

  /** Called after a commit: there is something to send. */
  wake(): void {
    this.wakeHere();
    // Whoever holds the other lanes lives in another process.
    if (this.lanes.length < LANES) this.channel.notify();
  }

  private wakeHere(): void {
    this.woken = true;
    this.rouse();
  }

  private async loop(): Promise<void> {
    let failures = 0;
    while (!this.stopping) {
      this.woken = false;
      let pause = Math.min(POLL_MS, RENEW * this.leaseMs);
      try {
        if (await this.round()) pause = 0;
        failures = 0;
      } catch (error) {
        // The database is away, or this is a bug: either way rows stay where they are.
        failures += 1;
        pause = Math.min(MAX_BACKOFF_MS, 100 * 2 ** Math.min(failures, 10));
        this.options.logger.error({ err: error }, 'the outbox cannot be read');
        await this.rest(pause, false);
        continue;
      }
      if (pause > 0) await this.rest(this.untilRetry(pause), true);
    }
    await releaseLanes(this.options.dataSource, this.lanes).catch(() => undefined);
    this.lanes = [];
  }

  /** @returns whether there may be more to do at once */
  private async round(): Promise<boolean> {
    const now = Date.now();
    if (now - this.maintainedAt > MAINTENANCE_MS) await this.maintain();
    await this.channel.open();
    await this.keepLanes();
    let more = false;
    for (const group of this.groups()) {
      if (this.stopping) break;
      more = (await this.advance(group)) || more;
    }
    return more;
  }

  private async keepLanes(): Promise<void> {
    const now = Date.now();
    if (this.lanes.length > 0 && this.leaseUntil - now < (1 - RENEW) * this.leaseMs) await this.write(this.lanes);
    if (this.lanes.length === LANES) return;
    const before = Date.now();
    const claimed = await claimLanes(this.options.dataSource, this.leaseMs);
    if (claimed.length === 0) return;
    this.leaseUntil =
      this.lanes.length === 0 ? before + this.leaseMs : Math.min(this.leaseUntil, before + this.leaseMs);
    this.lanes.push(...claimed.map((cursor) => ({ ...cursor, alone: false, failures: 0, retryAt: 0 })));
  }

  /** Lanes that stand at the same place go together, with one query for all of them. */
  private groups(): Lane[][] {
    const groups = new Map<string, Lane[]>();
    for (const lane of this.lanes) {
      const place = JSON.stringify([lane.settled, lane.reading, lane.lastId, lane.alone ? lane.lane : null]);
      const group = groups.get(place);
      if (group === undefined) groups.set(place, [lane]);
      else group.push(lane);
    }
    return [...groups.values()];
  }

  /** Sends the next page of lanes that stand at the same place. */
  private async advance(group: Lane[]): Promise<boolean> {
    const [at] = group;
    if (at === undefined || at.retryAt > Date.now()) return false;
    const { dataSource } = this.options;
    const numbers = group.map(({ lane }) => lane);
    if (at.reading === at.settled) {
      const { snapshot, firstId } = await lookForNews(dataSource, numbers, at.settled);
      if (firstId === null) return false;
      const before = String(BigInt(firstId) - 1n);
      for (const lane of group) Object.assign(lane, { reading: snapshot, lastId: before });
    }
    const rows = await readPage(dataSource, numbers, at);
    if (rows.length > 0) {
      // Who has no time left to send must not: a successor may have begun.
      if (this.isShort()) await this.write(this.lanes);
      // A database that took its time to say so has used up the new lease too.
      if (this.isShort() || group.some((lane) => !this.lanes.includes(lane))) return true;
      try {
        await this.producer.send(rows.map(({ message }) => message));
      } catch (error) {
        this.putOff(group, error);
        return true;
      }
      this.count('sent', rows.length);
    }
    const exhausted = rows.length < PAGE;
    const last = rows.at(-1)?.id ?? at.lastId;
    for (const lane of group) {
      Object.assign(lane, { alone: false, failures: 0, retryAt: 0 });
      Object.assign(lane, exhausted ? { settled: lane.reading, lastId: '0' } : { lastId: last });
    }
    await this.write(group);
    return true;
  }

  /** Whether the lease may end within a send. */
  private isShort(): boolean {
    return this.leaseUntil - Date.now() < sendDeadlineOf(this.leaseMs) + SPARE * this.leaseMs;
  }

  private putOff(group: Lane[], error: unknown): void {
    this.count('failed', 1);
    const lanes = group.map(({ lane }) => lane);
    this.options.logger.error({ err: error, lanes }, 'events could not be sent; they are tried again');
    for (const lane of group) {
      lane.failures += 1;
      const backoff = Math.min(MAX_BACKOFF_MS, 50 * 2 ** Math.min(lane.failures, 10));
      // The first time, each lane tries at once and by itself: the failure may be of one of them.
      lane.retryAt = group.length > 1 ? 0 : Date.now() + backoff;
      lane.alone = true;
    }
  }

  /** Writes cursors, and forgets lanes that another process has taken. */
  private async write(lanes: readonly Lane[]): Promise<void> {
    const before = Date.now();
    const held = await writeCursors(this.options.dataSource, lanes, this.leaseMs);
    this.lanes = this.lanes.filter((lane) => !lanes.includes(lane) || held.has(lane.lane));
    // A lease counts from before the question; lanes not written keep their older one.
    if (this.lanes.every((lane) => lanes.includes(lane))) this.leaseUntil = before + this.leaseMs;
  }

  private async maintain(): Promise<void> {
    this.maintainedAt = Date.now();
    const { dataSource, logger } = this.options;
    try {
      await dataSource.transaction((manager) => createPartitions((statement) => manager.query(statement)));
      await dataSource.transaction((manager) => dropSettledPartition((statement) => manager.query(statement)));
    } catch (error) {
      logger.warn({ err: error }, 'the partitions of the outbox could not be looked after; they are tried again');
    }
  }

  private untilRetry(pause: number): number {
    const next = Math.min(
      ...this.lanes.filter(({ retryAt }) => retryAt > 0).map(({ retryAt }) => retryAt - Date.now()),
    );
    return Math.max(1, Math.min(pause, next));
  }

  private async rest(milliseconds: number, wakeable: boolean): Promise<void> {
    if (this.stopping || (wakeable && this.woken)) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.rouse = () => {
        if (!wakeable && !this.stopping) return;
        clearTimeout(timer);
        resolve();
      };
    });
    this.rouse = () => undefined;
  }

  private count(what: 'sent' | 'failed', by: number): void {
    const name = what === 'sent' ? 'castiron_outbox_sent_total' : 'castiron_outbox_failed_sends_total';
    const help = what === 'sent' ? 'Events of the outbox that are on their topics' : 'Sends of the outbox that failed';
    this.options.metrics?.counter(name, help).inc(by);
  }
}
