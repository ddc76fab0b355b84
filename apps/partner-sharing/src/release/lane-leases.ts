import type { DataSource } from 'typeorm';

/** A lane in the hands of an owner, since a claim with this token. */
export interface Lane {
  readonly lane: number;
  readonly token: bigint;
  readonly owner: string;
}

/** A lane whose owner is silent this long may be taken over. */
export const LEASE_MS = 5_000;

/** Has a row, with the database's clock, where lane $1 is in the hands of owner $3 with token $2. */
export const STILL_OWNED = `SELECT clock_timestamp() AS now FROM feed_lanes
  WHERE lane = $1 AND token = $2 AND owner = $3 AND lease_until > clock_timestamp()`;
export const ownership = ({ lane, token, owner }: Lane): (number | string)[] => [lane, token.toString(), owner];

interface LaneRow {
  readonly lane: number;
  readonly token: string;
}

/** Who works which lane: leases in the database, by its clock. Every claim has a new, larger token. */
export class LaneLeases {
  constructor(
    private readonly dataSource: DataSource,
    readonly owner: string,
    private readonly leaseMs = LEASE_MS,
  ) {}

  /** Renews our leases and says which lanes they are for: also those of a claim that we never had the answer of. */
  async renew(): Promise<readonly Lane[]> {
    const [rows]: [LaneRow[], number] = await this.dataSource.query(
      `UPDATE feed_lanes SET lease_until = clock_timestamp() + make_interval(secs => $2)
       WHERE owner = $1 AND lease_until > clock_timestamp() RETURNING lane, token`,
      [this.owner, this.leaseMs / 1000],
    );
    return rows.map((row) => this.laneOf(row));
  }

  /** A lease that ends later than any can is of before the database's clock was set back; its owner renews it if there is one. */
  async claimFree(): Promise<readonly Lane[]> {
    const [rows]: [LaneRow[], number] = await this.dataSource.query(
      `UPDATE feed_lanes SET owner = $1, token = token + 1, lease_until = clock_timestamp() + make_interval(secs => $2)
       WHERE lane IN (SELECT lane FROM feed_lanes
         WHERE lease_until NOT BETWEEN clock_timestamp() AND clock_timestamp() + 2 * make_interval(secs => $2)
         ORDER BY lane FOR UPDATE SKIP LOCKED)
       RETURNING lane, token`,
      [this.owner, this.leaseMs / 1000],
    );
    return rows.map((row) => this.laneOf(row));
  }

  private laneOf({ lane, token }: LaneRow): Lane {
    return { lane, token: BigInt(token), owner: this.owner };
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
