import type { Transactions } from '@castiron/transactions';
import { agreementInForce, type Agreement } from '../../agreements/agreement.table.js';
import { orderOfPermission } from '../../publications.js';
import { findRecipient, type Recipient } from '../../recipients/recipient.table.js';
import type { ReleaseSignals } from '../../release/release-signals.js';
import { makePendingOfCustomers, makeShares } from '../../shares/make-shares.js';
import { announcePermission } from '../announce-permission.js';
import { decideGrant } from '../grant-permission/grant-permission.decision.js';
import { permissionOf, storePermission } from '../permission.table.js';
import { checkRow, type CheckedRow } from './permission-row.decision.js';

/** The answer for one row, in the order of the rows. */
export interface ImportedPermission {
  readonly outcome: 'created' | 'existing' | 'refused';
  readonly customer?: string;
  readonly reason?: string;
}

/** One outbox key per row, and one transaction holds 256 at most. */
const CHUNK = 200;

interface Audience {
  readonly recipient: Recipient | undefined;
  readonly agreement: Agreement | undefined;
}

/** Brings in permissions that were given before. What is here already, revoked above all, stays as it is. */
export class ImportPermissionsUseCase {
  constructor(
    private readonly transactions: Transactions,
    private readonly signals: ReleaseSignals,
  ) {}

  async import(rows: readonly unknown[]): Promise<readonly ImportedPermission[]> {
    const answers: ImportedPermission[] = [];
    for (let at = 0; at < rows.length; at += CHUNK) answers.push(...(await this.chunk(rows.slice(at, at + CHUNK))));
    return answers;
  }

  private chunk(rows: readonly unknown[]): Promise<ImportedPermission[]> {
    const checked = rows.map(checkRow);
    const keys = checked.flatMap((row) =>
      'reason' in row ? [] : [orderOfPermission(row.customer, row.recipient, row.purpose)],
    );
    return this.transactions.run([...new Set(keys)], async (tx) => {
      const audiences = new Map<string, Audience>();
      const created: CheckedRow[] = [];
      const answers: ImportedPermission[] = [];
      for (const row of checked) {
        if ('reason' in row) {
          answers.push({ outcome: 'refused', reason: row.reason });
          continue;
        }
        const audience = audiences.get(row.recipient) ?? {
          recipient: await findRecipient(tx.manager, row.recipient),
          agreement: await agreementInForce(tx.manager, row.recipient),
        };
        audiences.set(row.recipient, audience);
        const known = await permissionOf(tx.manager, row.customer, row.recipient, row.purpose);
        if (known !== undefined) {
          answers.push({ outcome: 'existing', customer: row.customer });
          continue;
        }
        if (audience.recipient === undefined) {
          answers.push({ outcome: 'refused', customer: row.customer, reason: 'recipient: no recipient has this slug' });
          continue;
        }
        const facts = { recipient: audience.recipient, agreement: audience.agreement, known };
        const decided = decideGrant(facts, row, row.evidence, new Date());
        if (!decided.ok) {
          const { field, detail } = decided.refusal;
          answers.push({ outcome: 'refused', customer: row.customer, reason: `${field ?? 'row'}: ${detail}` });
          continue;
        }
        await storePermission(tx.manager, decided.value);
        announcePermission(tx, decided.value);
        created.push(row);
        answers.push({ outcome: 'created', customer: row.customer });
      }
      await makeShares(tx.manager, created);
      for (const recipient of new Set(created.map((row) => row.recipient))) {
        const customers = created.filter((row) => row.recipient === recipient).map(({ customer }) => customer);
        await makePendingOfCustomers(tx.manager, [...new Set(customers)], 'permission-granted', recipient);
      }
      tx.afterCommit(() => this.signals.tell('pending'));
      return answers;
    });
  }
}
