import type { EntryKind } from '@castiron/contracts';
import type { DataSource } from 'typeorm';

export const MAX_DISCLOSURES = 200;

/** One ledger entry about a customer: what went to whom, why, and when; never a value. */
export interface Disclosure {
  readonly entry: string;
  /** The serial index in the ledger, 64 bits. */
  readonly index: string;
  readonly kind: EntryKind;
  readonly recipient: string;
  readonly version: number | null;
  readonly agreement: string | null;
  readonly attributes: readonly {
    readonly name: string;
    readonly purposes: readonly { purpose: string; ground: string }[];
  }[];
  readonly at: Date;
}

export interface DisclosuresPage {
  readonly disclosures: readonly Disclosure[];
  /** Ask again with `before` this index for older ones; null at the end. */
  readonly next: string | null;
}

/** Everything that was ever disclosed of a customer, newest first (P10). */
export class ReadDisclosures {
  constructor(private readonly dataSource: DataSource) {}

  async of(customer: string, page: { before?: bigint | undefined; limit: number }): Promise<DisclosuresPage> {
    const limit = Math.min(page.limit, MAX_DISCLOSURES);
    const disclosures: Disclosure[] = await this.dataSource.query(
      `SELECT e.entry, e.index, e.kind, s.recipient, e.version, e.agreement, e.attributes, e.at
       FROM shares s JOIN share_entries e ON e.share = s.id
       WHERE s.customer = $1 AND ($2::bigint IS NULL OR e.index < $2) ORDER BY e.index DESC LIMIT $3`,
      [customer, page.before?.toString() ?? null, limit],
    );
    return { disclosures, next: disclosures.length === limit ? (disclosures.at(-1)?.index ?? null) : null };
  }
}
