import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import type { Raised } from '../fence/fence.js';

/** A revocation whose fence may not stand yet. */
export interface Command extends Raised {
  readonly id: string;
  readonly kind: string;
  /** Whose command it is; null for what no customer asked for. */
  readonly customer: string | null;
}

export async function addCommand(manager: EntityManager, command: Omit<Command, 'id'>): Promise<Command> {
  const id = randomUUID();
  await manager.query(
    'INSERT INTO commands (id, kind, customer, scope, target, epoch) VALUES ($1, $2, $3, $4, $5, $6)',
    [id, command.kind, command.customer, command.scope, command.target, command.epoch.toString()],
  );
  return { id, ...command };
}

/**
 * Commands of another service about all of a customer, behind the epochs that the customers have now; that service hears once
 * the fence stands (`report-fences.ts`). One that is known stays as it was.
 */
export async function addReported(
  manager: EntityManager,
  kind: string,
  commands: readonly { readonly id: string; readonly customer: string }[],
): Promise<void> {
  await manager.query(
    `INSERT INTO commands (id, kind, customer, scope, target, epoch, reported)
     SELECT given.id, $1, given.customer, 'customer', given.customer, coalesce(c.epoch, 0), true
       FROM unnest($2::uuid[], $3::uuid[]) AS given (id, customer) LEFT JOIN customers c ON c.id = given.customer
     ON CONFLICT (id) DO NOTHING`,
    [kind, commands.map(({ id }) => id), commands.map(({ customer }) => customer)],
  );
}

export async function findCommand(
  manager: EntityManager,
  id: string,
): Promise<(Command & { doneAt: Date | null }) | undefined> {
  const rows: (Omit<Command, 'epoch'> & { epoch: string; doneAt: Date | null })[] = await manager.query(
    'SELECT id, kind, customer, scope, target, epoch, done_at AS "doneAt" FROM commands WHERE id = $1',
    [id],
  );
  return rows.map((row) => ({ ...row, epoch: BigInt(row.epoch) }))[0];
}

export async function markDone(manager: EntityManager, id: string): Promise<void> {
  await manager.query('UPDATE commands SET done_at = clock_timestamp() WHERE id = $1 AND done_at IS NULL', [id]);
}
