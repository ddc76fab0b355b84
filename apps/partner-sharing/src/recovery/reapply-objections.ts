import { objectionChanged, type DataOf } from '@castiron/contracts';
import type { OwnRecord } from '@castiron/outbox';
import type { RecoveryLog } from '@castiron/service';
import type { Transactions, Tx } from '@castiron/transactions';
import { objectionTo, storeObjection, type Objection } from '../objections/objection.table.js';
import { orderOfObjection } from '../publications.js';
import { findRecipient } from '../recipients/recipient.table.js';
import { closeShare } from './close-share.js';
import { toldOf } from './told.js';

type Lost = DataOf<typeof objectionChanged>;

/** Objections of the lost time stand again; those that were withdrawn in it stand on. */
export async function reapplyObjections(
  transactions: Transactions,
  records: readonly OwnRecord[],
  log: RecoveryLog,
): Promise<void> {
  log.phase('objections');
  for (const { lost } of toldOf(records, objectionChanged)) {
    const [first] = lost;
    if (first === undefined) continue;
    const { customer, recipient, purpose } = first;
    await transactions.run([orderOfObjection(customer, recipient, purpose)], (tx) => reapply(tx, lost, log));
  }
}

/** The objection to be stored; undefined where nothing changes. Pure. */
export function recoverObjection(known: Objection | undefined, lost: readonly Lost[]): Objection | undefined {
  const last = lost.at(-1);
  if (last === undefined) return undefined;
  const top = Math.max(...lost.map(({ version }) => version));
  const { customer, recipient, purpose } = last;
  const at = new Date(last.at);
  const version = Math.max(top, known?.version ?? 0) + 1;
  // Withdrawn since the restore, which is later than what was said before it.
  const isWithdrawnSince = known?.state === 'withdrawn' && known.changedAt > at;
  if (last.state === 'standing' && known?.state !== 'standing' && !isWithdrawnSince)
    return { customer, recipient, purpose, state: 'standing', version, changedAt: at };
  if (known === undefined) return { customer, recipient, purpose, state: 'withdrawn', version, changedAt: at };
  // It is as it is here, and told anew: its version was used for something else.
  return known.version > top ? undefined : { ...known, version };
}

async function reapply(tx: Tx, lost: readonly Lost[], log: RecoveryLog): Promise<void> {
  const { manager } = tx;
  const [of] = lost;
  if (of === undefined || (await findRecipient(manager, of.recipient)) === undefined) return;
  const known = await objectionTo(manager, of);
  if (known?.state === 'standing' && lost.at(-1)?.state === 'withdrawn')
    log.count('withdrawn objections that stand on');
  const objection = recoverObjection(known, lost);
  if (objection === undefined) return;
  const isNew = objection.state === 'standing' && known?.state !== 'standing';
  log.count(isNew ? 'objections that stand again' : 'objections told anew');
  if (log.dryRun) return;
  await storeObjection(manager, objection);
  const { customer, recipient, purpose, state, version, changedAt } = objection;
  const at = changedAt.toISOString();
  tx.publish(objectionChanged, { customer, recipient, purpose, state, version, at }, { reserved: true });
  if (!isNew) return;
  await closeShare(manager, { customer, recipient }, 'objection-changed');
}
