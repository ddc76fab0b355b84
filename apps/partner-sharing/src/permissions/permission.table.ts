import type { PurposeName } from '@castiron/contracts';
import type { EntityManager } from 'typeorm';

export interface Permission {
  readonly customer: string;
  readonly recipient: string;
  readonly purpose: PurposeName;
  readonly state: 'granted' | 'revoked';
  readonly version: number;
  /** In which way it was given; null where the customer objected without ever having permitted. */
  readonly how: string | null;
  readonly givenAt: Date | null;
  readonly statementVersion: number;
  readonly changedAt: Date;
}

const COLUMNS = `customer, recipient, purpose, state, version, how, given_at AS "givenAt",
  statement_version AS "statementVersion", changed_at AS "changedAt"`;

export async function permissionOf(
  manager: EntityManager,
  customer: string,
  recipient: string,
  purpose: string,
): Promise<Permission | undefined> {
  const rows: Permission[] = await manager.query(
    `SELECT ${COLUMNS} FROM permissions WHERE customer = $1 AND recipient = $2 AND purpose = $3`,
    [customer, recipient, purpose],
  );
  return rows[0];
}

export async function permissionsOf(manager: EntityManager, customer: string): Promise<readonly Permission[]> {
  return manager.query(`SELECT ${COLUMNS} FROM permissions WHERE customer = $1 ORDER BY recipient, purpose`, [
    customer,
  ]);
}

/** Stores the new state, and keeps it as evidence for good. The caller holds the permission's outbox key. */
export async function storePermission(manager: EntityManager, permission: Permission): Promise<void> {
  const values = [
    permission.customer,
    permission.recipient,
    permission.purpose,
    permission.state,
    permission.version,
    permission.how,
    permission.givenAt,
    permission.statementVersion,
    permission.changedAt,
  ];
  await manager.query(
    `INSERT INTO permissions (customer, recipient, purpose, state, version, how, given_at, statement_version, changed_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     ON CONFLICT (customer, recipient, purpose) DO UPDATE SET state = excluded.state, version = excluded.version,
       how = excluded.how, given_at = excluded.given_at, statement_version = excluded.statement_version,
       changed_at = excluded.changed_at`,
    values,
  );
  await manager.query(
    `INSERT INTO permission_history (customer, recipient, purpose, state, version, how, given_at, statement_version, at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    values,
  );
}

/** Stores when it was revoked again, which is no new version of it. The caller holds the permission's outbox key. */
export async function storeRepeated(
  manager: EntityManager,
  { customer, recipient, purpose, changedAt }: Permission,
): Promise<void> {
  await manager.query(
    'UPDATE permissions SET changed_at = $4 WHERE customer = $1 AND recipient = $2 AND purpose = $3',
    [customer, recipient, purpose, changedAt],
  );
}

/** As it is shown over HTTP. */
export const viewOf = ({ givenAt, changedAt, ...rest }: Permission) => ({
  ...rest,
  givenAt: givenAt?.toISOString() ?? null,
  changedAt: changedAt.toISOString(),
});

export type PermissionView = ReturnType<typeof viewOf>;
