import type { DataSource } from 'typeorm';
import type { Lane } from './release-batch.js';

/** A lane whose owner is silent this long may be taken over. */
export const LEASE_MS = 5_000;

/** Who works which lane: leases in the database, by its clock. Every claim has a new, larger token. */
export class LaneLeases {
  constructor(
    private readonly dataSource: DataSource,
    readonly owner: string,
    private readonly leaseMs = LEASE_MS,
  ) {}

  /** Renews our leases and says which lanes they are for. */
  async renew(): Promise<ReadonlySet<number>> {
    const [rows]: [{ lane: number }[], number] = await this.dataSource.query(
      `UPDATE feed_lanes SET lease_until = clock_timestamp() + make_interval(secs => $2)
       WHERE owner = $1 AND lease_until > clock_timestamp() RETURNING lane`,
      [this.owner, this.leaseMs / 1000],
    );
    return new Set(rows.map(({ lane }) => lane));
  }

  async claimFree(): Promise<readonly Lane[]> {
    const [rows]: [{ lane: number; token: string }[], number] = await this.dataSource.query(
      `UPDATE feed_lanes SET owner = $1, token = token + 1, lease_until = clock_timestamp() + make_interval(secs => $2)
       WHERE lane IN (SELECT lane FROM feed_lanes WHERE lease_until < clock_timestamp() ORDER BY lane FOR UPDATE SKIP LOCKED)
       RETURNING lane, token`,
      [this.owner, this.leaseMs / 1000],
    );
    return rows.map(({ lane, token }) => ({ lane, token: BigInt(token), owner: this.owner }));
  }

  /** Lets go of everything, so that a successor need not wait. */
  async release(): Promise<void> {
    await this.dataSource.query(`UPDATE feed_lanes SET lease_until = '-infinity', owner = NULL WHERE owner = $1`, [
      this.owner,
    ]);
  }

  /** Our lanes that have work due. */
  async due(): Promise<ReadonlySet<number>> {
    const rows: { lane: number }[] = await this.dataSource.query(
      `SELECT lane FROM feed_lanes l WHERE owner = $1 AND (
         EXISTS (SELECT 1 FROM pending_releases p WHERE p.lane = l.lane AND p.not_before <= clock_timestamp())
         OR EXISTS (SELECT 1 FROM sending_records s WHERE s.lane = l.lane))`,
      [this.owner],
    );
    return new Set(rows.map(({ lane }) => lane));
  }
}
