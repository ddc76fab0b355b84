import { newEventId } from '@castiron/contracts';
import { composeEntry, randomSalts, type ComposedEntry } from '@castiron/ledger';
import type { Transactions } from '@castiron/transactions';
import type { DataSource, EntityManager } from 'typeorm';
import { POLICY_VERSION } from '../confidentiality/decision.js';
import { appendEntries } from '../ledger/append-entries.js';
import { makePending } from '../shares/make-shares.js';
import type { Holding } from '../shares/share.js';
import type { Outcome, SendingRow } from './outcome.js';
import type { ReleaseSignals } from './release-signals.js';
import { keepShareEntries } from './share-entry.table.js';
import { takeStillSending } from './still-sending.js';
import { audienceOf, noticeKeysOf, tellCustomer } from './tell-customers.js';

/**
 * Records that were not sent: each entry is answered by an `aborted` one, and the share is published anew. Where nobody can
 * tell any more whether the recipient saw one (`maybe`), it counts as disclosed, its customer is told so, and it is followed
 * by another, even where sharing has ended since.
 */
export async function settleAborted(
  dataSource: DataSource,
  transactions: Transactions,
  signals: ReleaseSignals,
  rows: readonly SendingRow[],
  reached: 'no' | 'maybe',
): Promise<void> {
  if (rows.length === 0) return;
  /** One that takes away changes nothing before it is read. */
  const isShown = ({ outcome }: SendingRow): boolean => reached === 'maybe' && outcome.kind === 'released';
  const audiences = await audienceOf(dataSource, rows);
  const keys = rows.filter(isShown).flatMap((row) => noticeKeysOf(row, audiences));
  await transactions.run([...new Set(keys)], async (tx) => {
    const { manager } = tx;
    const aborted = await takeStillSending(tx, rows);
    const clock: { now: Date }[] = await manager.query('SELECT clock_timestamp() AS now');
    const now = clock[0]?.now ?? new Date();
    for (const row of aborted) {
      await spendVersion(manager, row);
      if (!isShown(row)) continue;
      await countAsDisclosed(manager, row);
      // What is published anew begins nothing any more.
      tellCustomer(tx, row, audiences);
    }
    await makePending(
      manager,
      aborted.map(({ share }) => share),
      'aborted',
    );
    const entries = aborted.map((row) => ({ share: row.share, entry: abortedEntry(row, reached, now) }));
    const appended = await appendEntries(
      manager,
      entries.map(({ entry }) => entry),
    );
    await keepShareEntries(
      manager,
      entries.map(({ share, entry: { leaf } }, position) => ({ share, leaf, index: appended[position]?.index ?? 0n })),
    );
    tx.afterCommit(() => {
      signals.tell('settled');
      signals.tell('pending');
    });
  });
}

/** All that the recipient may hold, whether or not it saw the batch; purposes too, or nobody would be told of their end. */
const union = ({ holds, before }: Outcome): readonly Holding[] => {
  const names = new Set(holds.map(({ name }) => name));
  const widened = holds.map((hold) => {
    const former = before.holds.find(({ name }) => name === hold.name)?.purposes ?? [];
    const known = new Set(hold.purposes.map(({ purpose }) => purpose));
    return { ...hold, purposes: [...hold.purposes, ...former.filter(({ purpose }) => !known.has(purpose))] };
  });
  return [...widened, ...before.holds.filter(({ name }) => !names.has(name))];
};

/** An entry of the ledger names it: no other record may bear it, and whoever saw it must not take its successor for a copy. */
async function spendVersion(manager: EntityManager, { share, outcome }: SendingRow): Promise<void> {
  await manager.query('UPDATE shares SET version = $2 WHERE id = $1', [share, outcome.version]);
}

async function countAsDisclosed(manager: EntityManager, { share, outcome }: SendingRow): Promise<void> {
  await manager.query(`UPDATE shares SET state = 'released', holds = $2::jsonb WHERE id = $1`, [
    share,
    JSON.stringify(union(outcome)),
  ]);
}

function abortedEntry({ entry, agreement, outcome }: SendingRow, reached: 'no' | 'maybe', now: Date): ComposedEntry {
  return composeEntry(
    {
      id: newEventId(),
      kind: 'aborted',
      of: entry,
      reached,
      at: now,
      recipient: outcome.recipient,
      recordId: outcome.recordId,
      version: outcome.version,
      agreement,
      policyVersion: POLICY_VERSION,
      subject: outcome.subject,
      attributes: Object.fromEntries(outcome.holds.map(({ name, purposes }) => [name, { purposes }])),
    },
    randomSalts(),
  );
}
