import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';

/** What takes something away from all that hold it: an attribute, or all of a customer. */
export interface Command {
  readonly id: string;
  readonly kind: 'withdrawal' | 'erasure';
  readonly customer: string;
  readonly askedAt: Date;
}

export async function addCommand(
  manager: EntityManager,
  { kind, customer }: Pick<Command, 'kind' | 'customer'>,
): Promise<Command> {
  const command: Command = { id: randomUUID(), kind, customer, askedAt: new Date() };
  await manager.query('INSERT INTO commands (id, kind, customer, asked_at) VALUES ($1, $2, $3, $4)', [
    command.id,
    kind,
    customer,
    command.askedAt,
  ]);
  return command;
}

/** One that this database has forgotten. */
export async function keepWithdrawal(manager: EntityManager, customer: string, id: string): Promise<void> {
  await manager.query(
    `INSERT INTO commands (id, kind, customer, asked_at) VALUES ($1, 'withdrawal', $2, now()) ON CONFLICT DO NOTHING`,
    [id, customer],
  );
}

/** The last withdrawal of a customer, which each profile names from then on. */
export async function lastWithdrawal(manager: EntityManager, customer: string): Promise<string | undefined> {
  const rows: { id: string }[] = await manager.query(
    `SELECT id FROM commands WHERE customer = $1 AND kind = 'withdrawal' ORDER BY place DESC LIMIT 1`,
    [customer],
  );
  return rows[0]?.id;
}

/** A command with how far it is. */
export interface CommandState extends Command {
  /** Nothing that was decided before it can get onto a feed any more. */
  readonly fenceStoodAt: Date | null;
  /** Of an erasure; null for others too. */
  readonly keysDestroyedAt: Date | null;
}

const STATE = `SELECT c.id, c.kind, c.customer, c.asked_at AS "askedAt", c.fence_stood_at AS "fenceStoodAt",
    e.keys_destroyed_at AS "keysDestroyedAt"
  FROM commands c LEFT JOIN erasures e ON e.command = c.id`;

export async function commandOf(manager: EntityManager, id: string): Promise<CommandState | undefined> {
  const rows: CommandState[] = await manager.query(`${STATE} WHERE c.id = $1`, [id]);
  return rows[0];
}

export async function erasureOf(manager: EntityManager, customer: string): Promise<CommandState | undefined> {
  const rows: CommandState[] = await manager.query(`${STATE} WHERE e.customer = $1`, [customer]);
  return rows[0];
}

/** The fence of a command stands behind all of the customer's commands before it, too. */
export async function noteFence(manager: EntityManager, customer: string, command: string, at: Date): Promise<void> {
  await manager.query(
    `UPDATE commands SET fence_stood_at = $3 WHERE customer = $1 AND fence_stood_at IS NULL
       AND place <= (SELECT place FROM commands WHERE id = $2 AND customer = $1)`,
    [customer, command, at],
  );
}
