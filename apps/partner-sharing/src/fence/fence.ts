import type { DataSource } from 'typeorm';
import type { EpochScope } from '../epochs/epoch-locks.js';
import type { ReleaseSignals } from '../release/release-signals.js';

/** What was raised, and to which epoch. */
export interface Raised {
  readonly scope: EpochScope;
  readonly target: string;
  readonly epoch: bigint;
}

interface Waiting extends Raised {
  /** By performance.now(). */
  readonly until: number;
  readonly tell: (stands: boolean) => void;
  readonly fail: (error: unknown) => void;
}

/**
 * A revocation is answered 202 where the fence does not stand within this time. A lane whose owner died is another's a lease and a
 * look later, in six seconds: longer is only what a broker takes that cannot be reached.
 */
const FENCE_WAIT_MS = 10_000;
const POLL_MS = 25;

/** Those of which no record decided under an older epoch is marked `sending`. */
const STANDING = `
  SELECT w.nth FROM unnest($1::text[], $2::uuid[], $3::bigint[]) WITH ORDINALITY AS w (scope, target, epoch, nth)
  WHERE NOT EXISTS (SELECT FROM sending_records s WHERE w.scope = 'agreement' AND s.agreement = w.target AND s.agreement_epoch < w.epoch)
    AND NOT EXISTS (SELECT FROM sending_records s WHERE w.scope = 'customer' AND s.customer = w.target AND s.customer_epoch < w.epoch)
    AND NOT EXISTS (SELECT FROM sending_records s WHERE w.scope = 'share' AND s.share = w.target AND s.share_epoch < w.epoch)`;

/** Tells when no send of an older epoch is under way: from then on nothing of it can get onto a feed (G2). */
export class Fence {
  private readonly waiting = new Set<Waiting>();
  private isLooking = false;
  /** Whether somebody waits who was not looked for yet. */
  private hasNews = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly signals: ReleaseSignals,
    private readonly waitMs = FENCE_WAIT_MS,
  ) {}

  async stands(raised: Raised): Promise<boolean> {
    return (await this.standing([raised])).length > 0;
  }

  /** Waits for the fence; false where it does not stand in time. */
  wait(raised: Raised): Promise<boolean> {
    return new Promise((tell, fail) => {
      this.waiting.add({ ...raised, until: performance.now() + this.waitMs, tell, fail });
      this.hasNews = true;
      if (!this.isLooking) void this.look();
    });
  }

  /** For all who wait at once: hundreds may wait for one lane, which needs the database to be seen to. */
  private async look(): Promise<void> {
    this.isLooking = true;
    while (this.waiting.size > 0) {
      // Whatever is settled from here on is heard of.
      const settled = this.signals.next('settled', POLL_MS);
      const asked = [...this.waiting];
      this.hasNews = false;
      try {
        for (const one of await this.standing(asked)) this.end(one, true);
      } catch (error) {
        for (const one of asked) if (this.waiting.delete(one)) one.fail(error);
      }
      const now = performance.now();
      for (const one of asked) if (one.until <= now) this.end(one, false);
      if (this.waiting.size > 0 && !this.hasNews) await settled;
    }
    this.isLooking = false;
  }

  private end(one: Waiting, stands: boolean): void {
    if (this.waiting.delete(one)) one.tell(stands);
  }

  private async standing<Of extends Raised>(raised: readonly Of[]): Promise<Of[]> {
    const rows: { nth: string }[] = await this.dataSource.query(STANDING, [
      raised.map(({ scope }) => scope),
      raised.map(({ target }) => target),
      raised.map(({ epoch }) => epoch.toString()),
    ]);
    return rows.flatMap(({ nth }) => raised[Number(nth) - 1] ?? []);
  }
}
