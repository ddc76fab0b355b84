import { setTimeout } from 'node:timers/promises';
import { pauseAfter } from '@castiron/failures';
import type { Kafka } from '@castiron/kafka';
import type { Logger } from '@castiron/observability';
import type { OutboxPort } from '@castiron/transactions';
import type { PoolConfig } from 'pg';
import { appendToOutbox } from './append.js';
import { restartAfterRestore } from './cluster-identity.js';
import { Connections, ServerCrashed } from './connections.js';
import { claimLanes, LEASE_MS, releaseLanes, writeCursors } from './lane-cursors.js';
import { Lane, type LaneEvents } from './lane.js';
import { LANES } from './lanes.js';
import { createPartitions, dropSettledPartition } from './partitions.js';
import { readPage } from './read-page.js';
import { Reading } from './reading.js';
import { Signal } from './signal.js';
import { WakeChannel } from './wake-channel.js';

/** The net under all wake-ups. */
const POLL_MS = 1_000;
const PAUSE_MS = { first: 200, longest: 3_000 };
const MAINTENANCE_MS = 10_000;
/** From one write of the cursors to the next, at least: what was sent since the last is sent again after a crash. */
const SAVE_MS = 50;
/** And of the time that a write took: each takes longer than the last while a transaction stays open. */
const SAVE_PAUSE = 20;
/** Of the lease: it is renewed when this part of it is over. */
const RENEW = 0.3;
/** Leases for which a lane may fail before another process may try. */
const FAILS_FOR = 2;
/** Looks for free lanes that are left to others then. */
const LOOKS_LEFT = 3;

export type Counted = 'sent' | 'failed';

export interface RelayOptions {
  /** Whose outbox it is, of all on this Kafka. Its producers are named `<name>.outbox.<lane>`, and must be allowed to. */
  readonly name: string;
  /** The outbox's database, and how to behave towards it. A `Client` of its own is a `HeardClient`. */
  readonly database: PoolConfig;
  readonly kafka: Kafka;
  readonly logger: Logger;
  /** Hears of each send: events that are on their topics, or one send that failed. */
  readonly counted?: (what: Counted, by: number) => void;
  /** How long a silent process keeps its lanes, in ms. Kafka's settings must say the same. Default {@link LEASE_MS}. */
  readonly leaseMs?: number;
  /** How often it is looked for events that nobody spoke of, in ms. Default {@link POLL_MS}. */
  readonly pollMs?: number;
  /** How often its partitions are looked after, in ms, at least. Default {@link MAINTENANCE_MS}. */
  readonly maintenanceMs?: number;
}

/**
 * Sends committed events to their topics, each at least once and in order per key. One per process; of several
 * processes one holds a lane at a time, and the others step in when its lease ends. Reading and sending overlap, and each
 * lane sends by itself.
 */
export class Relay implements OutboxPort {
  readonly append = appendToOutbox;
  private readonly leaseMs: number;
  private readonly channel: WakeChannel;
  private readonly signal = new Signal();
  private readonly connections: Connections;
  private readonly reading = new Reading((lanes) =>
    this.noticingCrash(readPage(this.connections, this.options.kafka.encoder(), lanes)),
  );
  private lanes: Lane[] = [];
  private running: Promise<void> | undefined;
  private saving: Promise<void> | undefined;
  private writing: Promise<void> = Promise.resolve();
  private maintaining: Promise<void> | undefined;
  private renewal: NodeJS.Timeout | undefined;
  private stopping = false;
  /** Of the server whose cluster was recognised; undefined until it is. */
  private recognised: string | undefined;
  /** When it is looked for free lanes again. */
  private claimAt = -Infinity;
  private maintainedAt = -Infinity;

  constructor(private readonly options: RelayOptions) {
    this.leaseMs = options.leaseMs ?? LEASE_MS;
    this.connections = new Connections(options.database, (error) =>
      options.logger.warn({ err: error }, 'a database connection broke'),
    );
    this.channel = new WakeChannel(options.database, () => this.wakeHere());
  }

  /**
   * Makes room in the table, then sends in the background until it is stopped. Another process may be taking over what was
   * restored in another cluster: that is waited for in the background, too.
   */
  async start(): Promise<void> {
    await this.connections.inTransaction(createPartitions, []);
    this.running = this.run();
    // By a clock of its own: a long read must not cost the lease.
    this.renewal = setInterval(() => {
      this.write(this.lanes).catch(() => undefined);
    }, RENEW * this.leaseMs);
  }

  /** Ends the sends under way and lets go of the lanes. */
  async stop(): Promise<void> {
    this.stopping = true;
    clearInterval(this.renewal);
    this.signal.give();
    await this.running;
    await this.channel.close();
    await this.maintaining;
    await this.connections.end();
  }

  /** Called after a commit: there is something to send. */
  wake(): void {
    this.wakeHere();
    // Whoever holds the other lanes lives in another process.
    if (this.lanes.length < LANES) this.channel.notify();
  }

  private wakeHere(): void {
    this.reading.wake();
    this.signal.give();
  }

  private async run(): Promise<void> {
    let failures = 0;
    while (!this.stopping) {
      try {
        const pause = await this.round();
        failures = 0;
        if (pause > 0) await this.signal.within(pause);
      } catch (error) {
        // The database is away, or this is a bug: either way rows stay where they are.
        failures += 1;
        this.options.logger.error({ err: error }, 'the outbox cannot be read');
        const until = performance.now() + pauseAfter(failures, PAUSE_MS);
        while (!this.stopping && performance.now() < until) await this.signal.within(until - performance.now());
      }
    }
    await this.letGo(this.lanes);
  }

  /** Ends their sends under way, and lets others have the lanes. */
  private async letGo(lanes: readonly Lane[]): Promise<void> {
    await Promise.all(lanes.map((lane) => lane.end()));
    this.lanes = this.lanes.filter((lane) => !lanes.includes(lane));
    // One that came after the last would set a cursor back, and take a lease again.
    await this.writing;
    await writeCursors(this.connections, lanes, this.leaseMs).catch(() => undefined);
    await releaseLanes(this.connections, lanes).catch(() => undefined);
  }

  /** This process may be alone in not reaching the broker: another one gets its turn, if there is one. */
  private async letGoOfFailing(): Promise<void> {
    const failing = this.lanes.filter((lane) => lane.hasFailedFor(FAILS_FOR * this.leaseMs));
    if (failing.length === 0) return;
    this.options.logger.warn(
      { lanes: failing.map(({ lane }) => lane) },
      'lanes that cannot be sent are left to others',
    );
    await this.letGo(failing);
    this.claimAt = performance.now() + LOOKS_LEFT * this.pollMs();
  }

  /** Reads for the lanes that have room. @returns how long there is nothing more to do, in ms, unless something happens */
  private async round(): Promise<number> {
    const now = performance.now();
    void this.channel.open();
    const recognised = this.recognised ?? (await this.recognizeCluster());
    if (this.isToMaintain(now)) void this.maintain(recognised);
    await this.letGoOfFailing();
    if (this.lanes.length < LANES && performance.now() >= this.claimAt) await this.claim(recognised);
    return this.reading.turn(this.lanes, this.pollMs());
  }

  /** Sends all that is left again where the cluster is another one. @returns the incarnation of the server that was asked */
  private async recognizeCluster(): Promise<string> {
    const { incarnation, isAnother } = await restartAfterRestore(this.connections);
    if (isAnother) {
      this.options.logger.warn('the database comes from another cluster: all events left in the outbox are sent again');
    }
    return (this.recognised = incarnation);
  }

  private pollMs(): number {
    return Math.min(this.options.pollMs ?? POLL_MS, RENEW * this.leaseMs);
  }

  private async claim(recognised: string): Promise<void> {
    this.claimAt = performance.now() + this.pollMs();
    const { kafka, name } = this.options;
    const events: LaneEvents = {
      isHeld: async (lane) => {
        await this.write([lane]);
        return this.lanes.includes(lane);
      },
      sent: (_lane, count) => {
        this.options.counted?.('sent', count);
        this.save();
        this.signal.give();
      },
      failed: (lane, error) => {
        this.signal.give();
        if (!this.lanes.includes(lane)) return;
        this.options.counted?.('failed', 1);
        this.options.logger.error({ err: error, lane: lane.lane }, 'events could not be sent; they are tried again');
      },
    };
    const claimed = claimLanes(this.connections, recognised, this.lanes, this.leaseMs);
    for (const cursor of await this.noticingCrash(claimed)) {
      this.lanes.push(new Lane(cursor, kafka.fencedProducer(`${name}.outbox.${cursor.lane}`), events));
    }
  }

  /**
   * Writes the cursors now and then while some have moved. Those of all, which costs no more statements: how full the outbox
   * is (`OutboxRoom`) is found by reading on from where each lane is said to stand.
   */
  private save(): void {
    if (this.saving !== undefined) return;
    this.saving = this.saveMoved()
      // The database is away; the next renewal writes them.
      .catch(() => undefined)
      .finally(() => (this.saving = undefined));
  }

  private async saveMoved(): Promise<void> {
    for (;;) {
      if (!this.lanes.some(({ isMoved }) => isMoved)) return;
      const before = performance.now();
      await this.write(this.lanes);
      await setTimeout(Math.min(Math.max(SAVE_MS, SAVE_PAUSE * (performance.now() - before)), POLL_MS));
    }
  }

  /** Writes cursors and renews leases, and forgets lanes that another process has taken. One write after the other. */
  private write(lanes: readonly Lane[]): Promise<void> {
    const written = this.writing.then(async () => {
      if (lanes.length === 0) return;
      for (const lane of lanes) lane.isMoved = false;
      const held = await this.noticingCrash(writeCursors(this.connections, lanes, this.leaseMs));
      const lost = lanes.filter(({ lane }) => !held.has(lane));
      this.lanes = this.lanes.filter((lane) => !lost.includes(lane));
      for (const lane of lost) void lane.end();
    });
    this.writing = written.catch(() => undefined);
    return written;
  }

  /** What was read of a server that has crashed since is true no more: its lanes are taken anew, as they are on its disk. */
  private async noticingCrash<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (error instanceof ServerCrashed) {
        const old = this.lanes.filter(({ incarnation }) => incarnation !== error.incarnation);
        this.lanes = this.lanes.filter((lane) => !old.includes(lane));
        for (const lane of old) void lane.end();
        this.claimAt = -Infinity;
        this.recognised = undefined;
        await releaseLanes(this.connections, old).catch(() => undefined);
      }
      throw error;
    }
  }

  private isToMaintain(now: number): boolean {
    const everyMs = this.options.maintenanceMs ?? MAINTENANCE_MS;
    return this.maintaining === undefined && now - this.maintainedAt > everyMs;
  }

  private maintain(recognised: string): Promise<void> {
    this.maintainedAt = performance.now();
    return (this.maintaining = (async () => {
      try {
        await this.connections.inTransaction(createPartitions, []);
        await this.noticingCrash(this.connections.inTransaction(dropSettledPartition, [recognised]));
      } catch (error) {
        this.options.logger.warn(
          { err: error },
          'the partitions of the outbox could not be looked after; they are tried again',
        );
      }
      this.maintaining = undefined;
    })());
  }
}
