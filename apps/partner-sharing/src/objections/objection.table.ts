import type { PurposeName } from '@castiron/contracts';
import type { EntityManager } from 'typeorm';

/** What a customer objects to: cooperation with a recipient for a purpose. */
export interface ObjectionTo {
  readonly customer: string;
  readonly recipient: string;
  readonly purpose: PurposeName;
}

export interface Objection extends ObjectionTo {
  readonly state: 'standing' | 'withdrawn';
  readonly version: number;
  readonly changedAt: Date;
}

const COLUMNS = 'customer, recipient, purpose, state, version, changed_at AS "changedAt"';

export async function objectionTo(
  manager: EntityManager,
  { customer, recipient, purpose }: ObjectionTo,
): Promise<Objection | undefined> {
  const rows: Objection[] = await manager.query(
    `SELECT ${COLUMNS} FROM objections WHERE customer = $1 AND recipient = $2 AND purpose = $3`,
    [customer, recipient, purpose],
  );
  return rows[0];
}

export async function objectionsOf(manager: EntityManager, customer: string): Promise<readonly Objection[]> {
  return manager.query(`SELECT ${COLUMNS} FROM objections WHERE customer = $1 ORDER BY recipient, purpose`, [customer]);
}

/** Stores the new state, and keeps it as evidence for good. The caller holds the objection's outbox key. */
export async function storeObjection(manager: EntityManager, objection: Objection): Promise<void> {
  const { customer, recipient, purpose, state, version, changedAt } = objection;
  const values = [customer, recipient, purpose, state, version, changedAt];
  await manager.query(
    `INSERT INTO objections (customer, recipient, purpose, state, version, changed_at) VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (customer, recipient, purpose) DO UPDATE SET state = excluded.state, version = excluded.version,
       changed_at = excluded.changed_at`,
    values,
  );
  await manager.query(
    `INSERT INTO objection_history (customer, recipient, purpose, state, version, at) VALUES ($1, $2, $3, $4, $5, $6)`,
    values,
  );
}

/** As it is shown over HTTP. */
export const viewOf = ({ changedAt, ...rest }: Objection) => ({ ...rest, changedAt: changedAt.toISOString() });

export type ObjectionView = ReturnType<typeof viewOf>;
