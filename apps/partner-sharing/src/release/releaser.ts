import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { pauseAfter } from '@castiron/failures';
import { LANES } from '../shares/feed-lanes.js';
import { FeedEnds } from './feed-ends.js';
import { LaneLeases, LEASE_MS, type Lane } from './lane-leases.js';
import { LaneWorker, type LaneParts } from './lane-worker.js';

/** Of the lease, from one renewal to the next. */
const RENEW = 0.2;
/** A send without an answer is given up after this part of the lease, for a revocation may wait for it; no sooner than a broker answers. */
const [SEND_WITHIN, SEND_WITHIN_AT_LEAST_MS] = [0.4, 500];
const POLL_MS = 1_000;
/** The first time next to nothing: what became of a send is to be found out, and revocations wait for that. */
const PAUSE_MS = { first: 10, longest: 1_000 };
/** At a stop, a batch under way has so long to be sent and settled. Where its broker is silent, a successor settles it. */
const GRACE_MS = 1_000;

/** Works the lanes that this process holds, each on its own, so that one that fails holds up no other. */
export class Releaser {
  private readonly leases: LaneLeases;
  private readonly feedEnds: FeedEnds;
  private readonly workers = new Map<number, LaneWorker>();
  private readonly running = new Map<number, Promise<void>>();
  /** How often in succession a lane failed. */
  private readonly failures = new Map<number, number>();
  private loops: Promise<void>[] = [];
  private stopping = false;

  constructor(
    private readonly parts: LaneParts,
    owner: string = randomUUID(),
    /** In ms. */
    private readonly leaseMs: number = LEASE_MS,
  ) {
    this.leases = new LaneLeases(parts.dataSource, owner, leaseMs);
    this.feedEnds = new FeedEnds(parts.kafka);
  }

  async start(): Promise<void> {
    await this.claim().catch((error: unknown) => this.complain(error));
    this.loops = [this.keepClaiming(), this.keepReleasing()];
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.parts.signals.tell('pending');
    this.parts.signals.tell('claim');
    await Promise.all(this.loops);
    await Promise.all([...this.workers.values()].map((worker) => worker.giveUpOpening()));
    const ended = Promise.all(this.running.values());
    await Promise.race([ended, pause(GRACE_MS, undefined, { ref: false })]);
    await Promise.all([...this.workers.values()].map((worker) => worker.close()).concat(this.feedEnds.close()));
    await ended;
    await this.leases.release().catch((error: unknown) => this.complain(error));
  }

  private async claim(): Promise<void> {
    const held = new Map((await this.leases.renew()).map((lane) => [lane.lane, lane]));
    for (const [lane, worker] of this.workers) {
      if (held.get(lane)?.token === worker.lane.token) continue;
      this.workers.delete(lane);
      void worker.close();
    }
    for (const lane of held.values()) this.take(lane);
    if (this.workers.size === LANES) return;
    for (const lane of await this.leases.claimFree()) this.take(lane);
  }

  private take(lane: Lane): void {
    if (this.workers.has(lane.lane)) return;
    this.workers.set(
      lane.lane,
      new LaneWorker(lane, this.parts, this.feedEnds, Math.max(SEND_WITHIN_AT_LEAST_MS, SEND_WITHIN * this.leaseMs)),
    );
    // What a predecessor left sending is work too; a lane without any opens no producer, which takes longer than a short lease.
    this.parts.signals.tell('pending');
  }

  private async keepClaiming(): Promise<void> {
    while (!this.stopping) {
      await this.parts.signals.next('claim', RENEW * this.leaseMs);
      if (!this.stopping) await this.claim().catch((error: unknown) => this.complain(error));
    }
  }

  private async keepReleasing(): Promise<void> {
    while (!this.stopping) {
      const woken = this.parts.signals.next('pending', POLL_MS);
      const due = await this.leases.due().catch((error: unknown) => {
        this.complain(error);
        return new Set<number>();
      });
      for (const lane of due) this.run(lane);
      await woken;
    }
  }

  private run(lane: number): void {
    const worker = this.workers.get(lane);
    if (worker === undefined || this.running.has(lane) || this.stopping) return;
    const work = this.drain(worker)
      .then(() => void this.failures.delete(lane))
      .catch((error: unknown) => this.afterFailure(worker, error))
      .finally(() => {
        this.running.delete(lane);
        // What came while the lane was busy had its wake-up ignored.
        this.parts.signals.tell('pending');
      });
    this.running.set(lane, work);
  }

  /** Ends where the lane is claimed anew, by whomever: a worker that was closed would shut its successor out. */
  private async drain(worker: LaneWorker): Promise<void> {
    while (!this.stopping && this.workers.get(worker.lane.lane) === worker && (await worker.step()));
  }

  private async afterFailure(worker: LaneWorker, error: unknown): Promise<void> {
    this.parts.logger.warn({ lane: worker.lane.lane, err: error }, 'a lane could not release');
    const failures = (this.failures.get(worker.lane.lane) ?? 0) + 1;
    this.failures.set(worker.lane.lane, failures);
    if (!this.stopping) await pause(pauseAfter(failures, PAUSE_MS));
  }

  private complain(error: unknown): void {
    this.parts.logger.warn({ err: error }, 'the lanes could not be looked after');
  }
}
