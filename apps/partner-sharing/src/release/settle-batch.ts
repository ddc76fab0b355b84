import { newEventId, withdrawalDue } from '@castiron/contracts';
import type { Transactions, Tx } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import { DAYS_TO_DELETE } from '../obligations/days-to-delete.js';
import { withdrawalOf } from '../obligations/withdrawal-of.decision.js';
import { orderOfDuties } from '../publications.js';
import { STATE_AFTER, type SendingRow } from './outcome.js';
import type { ReleaseSignals } from './release-signals.js';
import { takeStillSending } from './still-sending.js';
import { audienceOf, noticeKeysOf, tellCustomer, type Audiences } from './tell-customers.js';

/** Each share may need two outbox keys, and one transaction holds 256 at most. */
const CHUNK = 100;
const DAY_MS = 86_400_000;

/** Brings the shares of records that were sent to what stands on their feeds now, with duties and notices. */
export async function settleSent(
  dataSource: DataSource,
  transactions: Transactions,
  signals: ReleaseSignals,
  rows: readonly SendingRow[],
): Promise<void> {
  for (let at = 0; at < rows.length; at += CHUNK) {
    const chunk = rows.slice(at, at + CHUNK);
    const audience = await audienceOf(dataSource, chunk);
    const keys = chunk.flatMap((row) => keysOf(row, audience));
    await transactions.run([...new Set(keys)], async (tx) => {
      for (const row of await settleShares(tx, chunk)) {
        await oblige(tx, row);
        tellCustomer(tx, row, audience);
      }
      tx.afterCommit(() => signals.tell('settled'));
    });
  }
}

function keysOf(row: SendingRow, audience: Audiences): string[] {
  const { outcome } = row;
  return [
    ...(withdrawalOf(outcome) === undefined ? [] : [orderOfDuties(outcome.recipient, outcome.subject)]),
    ...noticeKeysOf(row, audience),
  ];
}

/** Brings the shares of the rows that nobody settled before up to date. */
async function settleShares(tx: Tx, rows: readonly SendingRow[]): Promise<readonly SendingRow[]> {
  const settled = await takeStillSending(tx, rows);
  await tx.manager.query(
    `UPDATE shares s SET version = n.version, state = n.state, holds = n.holds, mailing = n.mailing, entry = n.entry,
       entry_index = n.entry_index, agreement = n.agreement, record_at = n.record_at
     FROM unnest($1::uuid[], $2::int[], $3::text[], $4::jsonb[], $5::text[], $6::uuid[], $7::bigint[], $8::uuid[], $9::timestamptz[])
       AS n (id, version, state, holds, mailing, entry, entry_index, agreement, record_at)
     WHERE s.id = n.id`,
    [
      settled.map(({ share }) => share),
      settled.map(({ outcome }) => outcome.version),
      settled.map(({ outcome }) => STATE_AFTER[outcome.kind]),
      settled.map(({ outcome }) => JSON.stringify(outcome.holds)),
      settled.map(({ outcome }) => outcome.mailing),
      settled.map(({ entry }) => entry),
      settled.map(({ outcome }) => outcome.index),
      settled.map(({ agreement }) => agreement),
      settled.map(({ outcome }) => outcome.at),
    ],
  );
  return settled;
}

/** A narrowing is a duty: to delete or to stop using within the agreement's deadline, and to confirm. */
async function oblige(tx: Tx, { share, outcome }: SendingRow): Promise<void> {
  const withdrawal = withdrawalOf(outcome);
  if (withdrawal === undefined) return;
  const obligation = newEventId();
  const dueBy = new Date(new Date(outcome.at).getTime() + (outcome.daysToDelete ?? DAYS_TO_DELETE) * DAY_MS);
  const { subject, version, recipient } = outcome;
  await tx.manager.query(
    `INSERT INTO obligations (id, share, recipient, subject, version, complete, attributes, purposes, due_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      obligation,
      share,
      recipient,
      subject,
      version,
      withdrawal.complete,
      JSON.stringify(withdrawal.attributes),
      JSON.stringify(withdrawal.purposes),
      dueBy,
    ],
  );
  tx.publish(
    withdrawalDue,
    {
      obligation,
      subject,
      version,
      complete: withdrawal.complete,
      attributes: [...withdrawal.attributes],
      ...(withdrawal.purposes.length > 0 && {
        purposes: withdrawal.purposes.map(({ purpose, attributes }) => ({ purpose, attributes: [...attributes] })),
      }),
      dueBy: dueBy.toISOString(),
    },
    { slug: recipient, reserved: true },
  );
}
