import { agreementChanged, type DataOf } from '@castiron/contracts';
import type { OwnRecord } from '@castiron/outbox';
import type { RecoveryLog } from '@castiron/service';
import type { Transactions, Tx } from '@castiron/transactions';
import type { EntityManager } from 'typeorm';
import { announceAgreement, ordersOfAgreement } from '../agreements/enter-into-force.js';
import { lockEpochs } from '../epochs/epoch-locks.js';
import { addSweep } from '../sweeps/sweep.table.js';
import { toldOf } from './told.js';

type Lost = DataOf<typeof agreementChanged>;

/** Why an agreement ended is not told; this is what is known. */
const REASON = 'It was terminated before the database was lost.';

/** Agreements that ended in the lost time end again; those that entered into force in it are only counted. */
export async function reapplyAgreements(
  transactions: Transactions,
  records: readonly OwnRecord[],
  log: RecoveryLog,
): Promise<void> {
  log.phase('agreements');
  for (const { key, lost } of toldOf(records, agreementChanged)) {
    const recipient = lost[0]?.recipient ?? '';
    await transactions.run(ordersOfAgreement(key, recipient), (tx) => reapply(tx, key, lost, log));
  }
}

async function reapply(tx: Tx, id: string, lost: readonly Lost[], log: RecoveryLog): Promise<void> {
  const { manager } = tx;
  const isEnded = lost.some(({ state }) => state === 'terminated');
  const known = await stateOf(manager, id);
  if (known === undefined) {
    // An end state is never deleted.
    if (isEnded) return;
    log.count('agreements not revived');
    if (!log.dryRun) tx.tombstone(agreementChanged, id);
    return;
  }
  const { recipient } = known;
  const top = Math.max(...lost.map(({ epoch }) => epoch));
  const ends = isEnded && known.state !== 'terminated';
  if (!ends && Number(known.epoch) > top) return;
  if (!ends && known.state === 'drafted' && lost.at(-1)?.state === 'in-force') log.count('agreements not revived');
  log.count(ends ? 'agreements terminated' : 'agreements told anew');
  if (log.dryRun) return;
  await lockEpochs(manager, 'agreement', [id]);
  const now = new Date();
  const [rows]: [{ epoch: string; state: Lost['state'] }[], number] = await manager.query(
    `UPDATE agreements SET epoch = greatest(epoch, $2) + 1,
       state = CASE WHEN $3 THEN 'terminated' ELSE state END,
       terminated_at = CASE WHEN $3 THEN $4 ELSE terminated_at END,
       termination_reason = CASE WHEN $3 THEN $5 ELSE termination_reason END
     WHERE id = $1 RETURNING epoch, state`,
    [id, top, ends, now, REASON],
  );
  const row = rows[0];
  if (row === undefined) return;
  if (ends) {
    await addSweep(manager, { kind: 'renew-shares', recipient, cause: 'agreement-terminated' });
    return announceAgreement(tx, { id, recipient }, 'terminated', BigInt(row.epoch), now);
  }
  const at = now.toISOString();
  const { state, epoch } = row;
  tx.publish(agreementChanged, { agreement: id, recipient, state, epoch: Number(epoch), at }, { reserved: true });
}

async function stateOf(
  manager: EntityManager,
  id: string,
): Promise<{ state: Lost['state']; epoch: string; recipient: string } | undefined> {
  const rows: { state: Lost['state']; epoch: string; recipient: string }[] = await manager.query(
    'SELECT state, epoch, recipient FROM agreements WHERE id = $1',
    [id],
  );
  return rows[0];
}
