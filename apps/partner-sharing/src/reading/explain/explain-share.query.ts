import { isAttribute } from '@castiron/contracts';
import { ok, refused, type Result } from '@castiron/failures';
import type { DataSource } from 'typeorm';
import { explain, type Explanation } from '../../confidentiality/explain.js';
import { loadShareOf } from '../../release/load-shares.js';

export interface ShareExplanation extends Explanation {
  /** What stands on the feed, which follows the decision within moments. */
  readonly feed: {
    readonly carries: boolean;
    readonly version: number;
    readonly entry: string | null;
    /** Whether a record is still to follow. */
    readonly pending: boolean;
  };
  readonly agreement: string | null;
}

/** Why an attribute of a customer is, or is not, on a recipient's feed: by the very clauses that decide. */
export class ExplainShare {
  constructor(private readonly dataSource: DataSource) {}

  async of(customer: string, recipient: string, attribute: string): Promise<Result<ShareExplanation>> {
    if (!isAttribute(attribute)) {
      const detail = 'The catalogue has no such attribute.';
      return refused({ kind: 'invalid', code: 'unknown-attribute', detail, field: 'attribute', promise: 'P1' });
    }
    const share = await loadShareOf(this.dataSource.manager, customer, recipient);
    if (share === undefined) {
      return refused({
        kind: 'not-found',
        code: 'unknown-recipient',
        detail: 'There is no such recipient.',
        field: 'recipient',
      });
    }
    if (share.facts === null) {
      return refused({
        kind: 'not-found',
        code: 'unknown-customer',
        detail: 'There is no such customer.',
        field: 'customer',
      });
    }
    const [time]: { now: Date }[] = await this.dataSource.query('SELECT clock_timestamp() AS now');
    const carries = share.holds.some(({ name }) => name === attribute);
    return ok({
      ...explain(share.facts, attribute, time?.now ?? new Date()),
      agreement: share.agreement,
      feed: { carries, version: share.version, entry: share.entry, pending: await this.isPending(share.id) },
    });
  }

  private async isPending(share: string): Promise<boolean> {
    if (share === '') return false;
    const rows: { pending: boolean }[] = await this.dataSource.query(
      `SELECT EXISTS (SELECT 1 FROM pending_releases WHERE share = $1)
         OR EXISTS (SELECT 1 FROM sending_records WHERE share = $1) AS pending`,
      [share],
    );
    return rows[0]?.pending === true;
  }
}
