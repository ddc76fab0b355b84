import type { PurposeName, RecipientKind } from '@castiron/contracts';
import type { DataSource } from 'typeorm';
import type { Holding, ShareState } from '../../shares/share.js';

/** What a recipient was asked to delete or to stop using, and whether it said that it did. */
export interface Withdrawal {
  readonly obligation: string;
  /** To be deleted. */
  readonly attributes: readonly string[];
  /** To be used for these purposes no longer. */
  readonly purposes: readonly { readonly purpose: PurposeName; readonly attributes: readonly string[] }[];
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

type Row = Omit<RecipientHoldings, 'attributes' | 'withdrawals'> & { share: string; holds: Holding[] };

/** Who holds what of this customer now, and which withdrawals were confirmed (P8). */
export class ReadHoldings {
  constructor(private readonly dataSource: DataSource) {}

  async of(customer: string): Promise<readonly RecipientHoldings[]> {
    const rows: Row[] = await this.dataSource.query(
      `SELECT s.id AS share, s.recipient, r.name, r.kind, s.state, s.version, s.record_at AS since, s.agreement, s.entry,
         s.entry_index AS index, s.holds, s.mailing
       FROM shares s JOIN recipients r ON r.slug = s.recipient
       WHERE s.customer = $1 AND s.state <> 'none' ORDER BY s.recipient`,
      [customer],
    );
    const withdrawals = await this.withdrawalsOf(rows.map(({ share }) => share));
    return rows.map(({ share, holds, ...row }) => ({
      ...row,
      attributes: holds.map(({ name, purposes }) => ({ name, purposes })),
      withdrawals: withdrawals.filter((one) => one.share === share).map(({ share: _share, ...one }) => one),
    }));
  }

  /** Columns and not JSON made by the database, which writes its instants in another form than everything else here. */
  private withdrawalsOf(shares: readonly string[]): Promise<readonly (Withdrawal & { readonly share: string })[]> {
    return this.dataSource.query(
      `SELECT share, id AS obligation, attributes, purposes, complete, state, created_at AS "askedAt", due_by AS "dueBy",
         settled_at AS "settledAt" FROM obligations WHERE share = ANY($1::uuid[]) ORDER BY created_at, id`,
      [shares],
    );
  }
}
