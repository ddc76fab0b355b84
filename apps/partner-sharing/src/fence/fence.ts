import type { DataSource } from 'typeorm';
import type { EpochScope } from '../epochs/epoch-locks.js';
import type { ReleaseSignals } from '../release/release-signals.js';

/** What was raised, and to which epoch. */
export interface Raised {
  readonly scope: EpochScope;
  readonly target: string;
  readonly epoch: bigint;
}

/**
 * A revocation is answered 202 where the fence does not stand within this time. A lane whose owner died is another's a lease and a
 * look later, in six seconds: longer is only what a broker takes that cannot be reached.
 */
const FENCE_WAIT_MS = 10_000;
const POLL_MS = 25;

/** Tells when no send of an older epoch is under way: from then on nothing of it can get onto a feed (G2). */
export class Fence {
  constructor(
    private readonly dataSource: DataSource,
    private readonly signals: ReleaseSignals,
    private readonly waitMs = FENCE_WAIT_MS,
  ) {}

  /** Whether no record decided under an older epoch is marked `sending`. */
  async stands({ scope, target, epoch }: Raised): Promise<boolean> {
    const rows: { stands: boolean }[] = await this.dataSource.query(
      `SELECT NOT EXISTS (SELECT 1 FROM sending_records WHERE ${scope} = $1 AND ${scope}_epoch < $2) AS stands`,
      [target, epoch.toString()],
    );
    return rows[0]?.stands === true;
  }

  /** Waits for the fence; false where it does not stand in time. */
  async wait(raised: Raised): Promise<boolean> {
    const deadline = Date.now() + this.waitMs;
    while (!(await this.stands(raised))) {
      if (Date.now() >= deadline) return false;
      await this.signals.next('settled', POLL_MS);
    }
    return true;
  }
}
