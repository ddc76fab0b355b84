import { within } from './deadline.js';
import type { GroupPlace } from './group-places.js';
import { Standstill } from './standstill.js';

/** A partition of another member is that one's to notice first; replicas differ, so that not all of them end at once. */
const OTHERS_STALL = 2;
/** Of the time in which a partition must move: from then on it is asked what it stands for. A batch that takes longer holds up those that wait to be fetched. */
const LONG = 1 / 4;
/** In the time in which a consumer must fetch. What is not answered by the next one came of a broker that was away. */
const LOOKS = 4;
/** Looks that were left out when one comes: the whole process was paused, and so was all that it would judge. */
const PAUSED = 2.5;

export interface Watched {
  /** Without a fetch for so long, or without a step where there is something to read, a consumer is stuck for good. */
  readonly stallMs: number;
  /** Asked past the consumer's own connections. */
  readonly places: () => Promise<readonly GroupPlace[]>;
  /** Whether what messages are handled with is away, so that nothing could move. */
  readonly excused: () => Promise<boolean>;
  /**
   * A step whose commit was lost, or with a sign none at all.
   * @param sign tells other members, who see no more of this one than its commits, that it is at work
   */
  readonly commit: (topic: string, partition: number, next: bigint, sign?: string) => void;
  readonly crash: (error: Error) => void;
}

const nameOf = (topic: string, partition: number): string => `${topic}/${partition}`;

/**
 * Ends a consumer that is stuck although the broker answers: it fetches no more, or a partition of its group stands still
 * although there is something to read, be it this member's, another's or nobody's.
 */
export class Watchdog {
  private readonly standstill = new Standstill();
  /** Partitions whose handlers said since the last look that they are at work, and those that wait for them. */
  private readonly alive = new Set<string>();
  private readonly othersStallMs: number;
  /** The partitions that are this member's, and the next offset of those it moved on. */
  private own = new Map<string, bigint | undefined>();
  private timer: NodeJS.Timeout | undefined;
  private lastFetch = performance.now();
  /** The broker was away until then, so that nothing could be fetched. */
  private excusedUntil = -Infinity;
  /** Batches at work. */
  private working = 0;
  /** Since when there is one of a partition. Keys stay: an old table that is emptied is copied in the old heap (ADR 0036). */
  private readonly atWork = new Map<string, number | undefined>();
  private lookedAt = performance.now();
  private looking = false;
  private answered = false;

  constructor(private readonly watched: Watched) {
    this.othersStallMs = watched.stallMs * (OTHERS_STALL + Math.random());
  }

  start(): void {
    this.timer = setInterval(() => void this.look(), this.watched.stallMs / LOOKS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  fetched(): void {
    this.lastFetch = performance.now();
  }

  /** Nothing is fetched meanwhile. @returns to be called when it is done */
  works(topic: string, partition: number): () => void {
    const [name, since] = [nameOf(topic, partition), performance.now()];
    this.working += 1;
    this.atWork.set(name, since);
    return () => {
      this.working -= 1;
      if (this.atWork.get(name) === since) this.atWork.set(name, undefined);
      this.fetched();
    };
  }

  assigned(partitions: Readonly<Record<string, readonly number[]>>): void {
    const names = Object.entries(partitions).flatMap(([topic, own]) =>
      own.map((partition) => nameOf(topic, partition)),
    );
    this.own = new Map(names.map((name) => [name, this.own.get(name)]));
  }

  /** @returns whether the partition is this member's: what was fetched before it joined anew may be another's by now */
  moved(topic: string, partition: number, next: bigint): boolean {
    const name = nameOf(topic, partition);
    const isOwn = this.own.has(name);
    if (isOwn) this.own.set(name, next);
    return isOwn;
  }

  /**
   * A handler that takes long says that it is at work. kafkajs fetches nothing before all that it fetched was handled, so
   * the member's other partitions wait for it too, but for those that are at work themselves: what hangs shows by its own.
   */
  signOfLife(topic: string, partition: number): void {
    const [name, now] = [nameOf(topic, partition), performance.now()];
    this.touch(name, now);
    if (now - (this.atWork.get(name) ?? now) < LONG * this.watched.stallMs) return;
    for (const waiting of this.own.keys()) if (this.atWork.get(waiting) === undefined) this.touch(waiting, now);
  }

  private touch(name: string, now: number): void {
    this.standstill.touch(name, now);
    this.alive.add(name);
  }

  fetches(): boolean {
    return this.working > 0 || performance.now() - this.lastFetch < this.watched.stallMs;
  }

  private isStuck(): boolean {
    return !this.fetches() && performance.now() - this.excusedUntil >= this.watched.stallMs;
  }

  private async look(): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    try {
      const { stallMs, places, crash } = this.watched;
      const [own, alive] = [this.own, new Set(this.alive)];
      this.alive.clear();
      const wasPaused = performance.now() - this.lookedAt > (PAUSED * stallMs) / LOOKS;
      this.lookedAt = performance.now();
      if (wasPaused) this.standstill.forget();
      const now = await within(stallMs / LOOKS, 'asking where the group stands', places()).catch(() => undefined);
      // The broker is away, or back this moment, or this process is: what would be judged has yet to come back too.
      if (now === undefined || !this.answered || wasPaused) this.excusedUntil = performance.now();
      this.answered = now !== undefined;
      if (now === undefined) {
        this.standstill.forget();
      } else if (this.isStuck()) {
        crash(new Error(`no fetch for ${stallMs / 1000} s although the broker answers`));
      } else if (own === this.own) {
        // Dealt out anew meanwhile, what was answered may be older than what another member committed.
        await this.lookAt(now, alive);
      }
    } finally {
      this.looking = false;
    }
  }

  private async lookAt(places: readonly GroupPlace[], alive: ReadonlySet<string>): Promise<void> {
    const { stallMs, excused, commit, crash } = this.watched;
    const stuck: string[] = [];
    let isLong = false;
    this.standstill.keep(new Set(places.map(({ topic, partition }) => nameOf(topic, partition))));
    for (const { topic, partition, next: committed, end, sign } of places) {
      const name = nameOf(topic, partition);
      const position = this.own.get(name) ?? 0n;
      const next = position > committed ? position : committed;
      const isOwn = this.own.has(name);
      if (isOwn && alive.has(name) && next < end) commit(topic, partition, next, new Date().toISOString());
      else if (position > committed) commit(topic, partition, next);
      const stood = this.standstill.of(name, { next, end, ...(!isOwn && { sign }) }, performance.now());
      if (stood >= LONG * stallMs) isLong = true;
      if (stood >= (isOwn ? stallMs : this.othersStallMs))
        stuck.push(`${name} stands at ${next} of ${end} for ${Math.round(stood / 1000)} s`);
    }
    if (!isLong) return;
    // Asked long before it comes to the worst, or what was away would have to come back and catch up by then.
    if (await excused()) this.standstill.forget();
    else if (stuck.length > 0) crash(new Error(`${stuck.join(', ')} although the broker answers`));
  }
}
