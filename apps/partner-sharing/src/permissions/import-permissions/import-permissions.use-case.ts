import { valueOf } from '@castiron/failures';
import { instantOf, isLine } from '@castiron/service';
import type { Transactions, Tx } from '@castiron/transactions';
import { agreementInForce, type Agreement } from '../../agreements/agreement.table.js';
import { orderOfPermission } from '../../publications.js';
import { erasedAmong } from '../../profiles/keep-profiles/customer.table.js';
import { findRecipient, type Recipient } from '../../recipients/recipient.table.js';
import type { ReleaseSignals } from '../../release/release-signals.js';
import { makePendingOfCustomers, makeShares } from '../../shares/make-shares.js';
import { newestStatement } from '../../statements/statement.table.js';
import { announcePermission } from '../announce-permission.js';
import { decideGrant, type GrantFacts } from '../grant-permission/grant-permission.decision.js';
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
  readonly newestStatement: number;
}

/** Brings in permissions that were given before. What is here already, revoked above all, stays as it is. */
export class ImportPermissionsUseCase {
  constructor(
    private readonly transactions: Transactions,
    private readonly signals: ReleaseSignals,
  ) {}

  async import(rows: readonly unknown[]): Promise<readonly ImportedPermission[]> {
    const answers: ImportedPermission[] = [];
    for (let at = 0; at < rows.length; at += CHUNK) {
      answers.push(
        ...(await this.importChunk(rows.slice(at, at + CHUNK).map((row) => checkRow(row, { isLine, instantOf })))),
      );
    }
    return answers;
  }

  private importChunk(rows: readonly ReturnType<typeof checkRow>[]): Promise<ImportedPermission[]> {
    const keys = rows.flatMap((row) =>
      'reason' in row ? [] : [orderOfPermission(row.customer, row.recipient, row.purpose)],
    );
    return this.transactions.run([...new Set(keys)], async (tx) => {
      const erased = await erasedAmong(
        tx.manager,
        rows.flatMap((row) => ('reason' in row ? [] : [row.customer])),
      );
      const audienceOf = remembering((slug) => readAudience(tx, slug));
      const created: CheckedRow[] = [];
      const answers: ImportedPermission[] = [];
      for (const row of rows) {
        const answer =
          'reason' in row
            ? refusal(row.reason)
            : await importRow(tx, row, { ...(await audienceOf(row.recipient)), erased: erased.has(row.customer) });
        if (answer.outcome === 'created' && !('reason' in row)) created.push(row);
        answers.push(answer);
      }
      await share(tx, created);
      tx.afterCommit(() => this.signals.tell('pending'));
      return answers;
    });
  }
}

const refusal = (reason: string, customer?: string): ImportedPermission => ({
  outcome: 'refused',
  ...(customer !== undefined && { customer }),
  reason,
});

async function importRow(
  tx: Tx,
  row: CheckedRow,
  { recipient, ...facts }: Audience & Pick<GrantFacts, 'erased'>,
): Promise<ImportedPermission> {
  const { customer } = row;
  const known = await permissionOf(tx.manager, customer, row.recipient, row.purpose);
  if (known !== undefined) return { outcome: 'existing', customer };
  if (recipient === undefined) return refusal('recipient: no recipient has this slug', customer);
  const decided = decideGrant({ recipient, known, ...facts }, row, row.evidence, new Date());
  // Nothing is wrong with the row: the whole chunk is to be sent again.
  if (!decided.ok && decided.refusal.kind === 'unavailable') return valueOf(decided);
  if (!decided.ok) return refusal(`${decided.refusal.field ?? 'row'}: ${decided.refusal.detail}`, customer);
  await storePermission(tx.manager, decided.value);
  announcePermission(tx, decided.value);
  return { outcome: 'created', customer };
}

async function readAudience({ manager }: Tx, slug: string): Promise<Audience> {
  return {
    recipient: await findRecipient(manager, slug),
    agreement: await agreementInForce(manager, slug),
    newestStatement: await newestStatement(manager),
  };
}

/** Asks once for each name: a file has many rows of few recipients. */
function remembering<T>(ask: (name: string) => Promise<T>): (name: string) => Promise<T> {
  const known = new Map<string, Promise<T>>();
  return (name) => {
    const answer = known.get(name) ?? ask(name);
    known.set(name, answer);
    return answer;
  };
}

/** Has the records made; of whoever is not known yet they are made when the profile comes. */
async function share({ manager }: Tx, created: readonly CheckedRow[]): Promise<void> {
  await makeShares(manager, created);
  for (const recipient of new Set(created.map((row) => row.recipient))) {
    const customers = created.filter((row) => row.recipient === recipient).map(({ customer }) => customer);
    await makePendingOfCustomers(manager, [...new Set(customers)], 'permission-granted', recipient);
  }
}
