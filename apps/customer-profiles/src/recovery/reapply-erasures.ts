import { customerErased, customersErasures, decodeMessage, newEventId, profileChanged } from '@castiron/contracts';
import { readAll, type Kafka } from '@castiron/kafka';
import type { RecoveryLog } from '@castiron/service';
import type { Transactions } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import { orderOfErasure, orderOfProfile } from '../publications.js';
import { deleteCustomer } from '../profiles/profile.table.js';

const PAGE = 500;

interface Erased {
  readonly customer: string;
  readonly command: string;
  readonly at: string;
}

/** Whoever was erased is erased again: all that ever were stand on the topic. */
export async function reapplyErasures(
  { dataSource, transactions, kafka }: { dataSource: DataSource; transactions: Transactions; kafka: Kafka },
  log: RecoveryLog,
): Promise<void> {
  log.phase('erasures');
  let page: Erased[] = [];
  const work = async (): Promise<void> => {
    const unknown: { customer: string }[] = await dataSource.query(
      `SELECT given AS customer FROM unnest($1::uuid[]) AS given WHERE EXISTS (SELECT FROM customers c WHERE c.id = given)
         OR NOT EXISTS (SELECT FROM erasures e WHERE e.customer = given)`,
      [page.map(({ customer }) => customer)],
    );
    const wanted = new Set(unknown.map(({ customer }) => customer));
    const again = page.filter(({ customer }) => wanted.has(customer));
    page = [];
    log.count('customers erased again', again.length);
    if (!log.dryRun) for (const erased of again) await eraseAgain(transactions, erased);
  };
  const groupId = `customer-profiles.recovery-${newEventId()}`;
  for await (const message of readAll(kafka, customersErasures.name, { groupId })) {
    const decoded = decodeMessage(message, [customerErased]);
    if (decoded.ok && decoded.event.data !== null) page.push(decoded.event.data as Erased);
    if (page.length === PAGE) await work();
  }
  await work();
}

/** As it was the first time; but that it was is on the topic already. */
async function eraseAgain(transactions: Transactions, { customer, command, at }: Erased): Promise<void> {
  await transactions.run([orderOfProfile(customer), orderOfErasure(customer)], async (tx) => {
    await deleteCustomer(tx.manager, customer);
    await tx.manager.query(
      `INSERT INTO commands (id, kind, customer, asked_at) VALUES ($1, 'erasure', $2, $3) ON CONFLICT DO NOTHING`,
      [command, customer, at],
    );
    await tx.manager.query('INSERT INTO erasures (customer, command) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
      customer,
      command,
    ]);
    // Perhaps a profile was told since the restore, or is about to be.
    tx.tombstone(profileChanged, customer);
  });
}
