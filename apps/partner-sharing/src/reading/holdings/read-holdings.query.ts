import type { RecipientKind } from '@castiron/contracts';
import type { DataSource } from 'typeorm';
import type { Holding, ShareState } from '../../shares/share.js';

/** What a recipient was asked to delete, and whether it said that it did. */
export interface Withdrawal {
  readonly obligation: string;
  readonly attributes: readonly string[];
  readonly complete: boolean;
  readonly state: 'open' | 'confirmed' | 'expired';
  readonly askedAt: Date;
  readonly dueBy: Date;
  readonly settledAt: Date | null;
}

/** What one recipient holds of a customer now: names, purposes and grounds, never a value. */
export interface RecipientHoldings {
  readonly recipient: string;
  readonly name: string;
  readonly kind: RecipientKind;
  readonly state: ShareState;
  readonly version: number;
  /** When the feed's last record was released; null where there never was one. */
  readonly since: Date | null;
  readonly agreement: string | null;
  readonly entry: string | null;
  readonly index: string | null;
  readonly attributes: readonly Omit<Holding, 'version'>[];
  readonly mailing: 'allowed' | 'stopped';
  readonly withdrawals: readonly Withdrawal[];
}

type Row = Omit<RecipientHoldings, 'attributes'> & { holds: Holding[] };

/** Who holds what of this customer now, and which withdrawals were confirmed (P8). */
export class ReadHoldings {
  constructor(private readonly dataSource: DataSource) {}

  async of(customer: string): Promise<readonly RecipientHoldings[]> {
    const rows: Row[] = await this.dataSource.query(
      `SELECT s.recipient, r.name, r.kind, s.state, s.version, s.record_at AS since, s.agreement, s.entry,
         s.entry_index AS index, s.holds, s.mailing,
         coalesce((SELECT jsonb_agg(jsonb_build_object('obligation', o.id, 'attributes', o.attributes,
           'complete', o.complete, 'state', o.state, 'askedAt', o.created_at, 'dueBy', o.due_by, 'settledAt', o.settled_at)
           ORDER BY o.created_at) FROM obligations o WHERE o.share = s.id), '[]') AS withdrawals
       FROM shares s JOIN recipients r ON r.slug = s.recipient
       WHERE s.customer = $1 AND s.state <> 'none' ORDER BY s.recipient`,
      [customer],
    );
    return rows.map(({ holds, ...row }) => ({
      ...row,
      attributes: holds.map(({ name, purposes }) => ({ name, purposes })),
    }));
  }
}
