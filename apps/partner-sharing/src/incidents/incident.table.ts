import { randomUUID } from 'node:crypto';
import { Refused } from '@castiron/failures';
import type { EntityManager } from 'typeorm';

/** What must not be (P10). */
export type IncidentKind =
  | 'ledger-forked'
  /** A record on a feed that no entry of the ledger stands behind. */
  | 'disclosure-without-a-ground'
  /** An entry says that a record was sent, and its feed has none. */
  | 'record-missing'
  /** An older record was put behind a newer one of its subject. */
  | 'version-fell';

/** Who is asked what came of an incident, unless somebody else is named. */
const OWNER = 'privacy-officer';

export interface Incident {
  readonly id: string;
  readonly kind: IncidentKind;
  /** What was found, without personal data. */
  readonly cause: string;
  readonly owner: string;
  readonly state: 'open' | 'closed';
  readonly openedAt: Date;
  readonly closedAt: Date | null;
  readonly closedBy: string | null;
  readonly reason: string | null;
}

const COLUMNS = `id, kind, cause, owner, state, opened_at AS "openedAt", closed_at AS "closedAt", closed_by AS "closedBy", reason`;

/** Opens an incident, unless the same is open. @returns whether it is new */
export async function openIncident(
  manager: EntityManager,
  { kind, cause }: Pick<Incident, 'kind' | 'cause'>,
): Promise<boolean> {
  const rows: unknown[] = await manager.query(
    `INSERT INTO incidents (id, kind, cause, owner) VALUES ($1, $2, $3, $4)
     ON CONFLICT (kind, cause) WHERE state = 'open' DO NOTHING RETURNING id`,
    [randomUUID(), kind, cause, OWNER],
  );
  return rows.length > 0;
}

/** The same of many. What was found on a feed is opened once, also where it is closed by now. */
export async function openIncidents(
  manager: EntityManager,
  found: readonly Pick<Incident, 'kind' | 'cause'>[],
): Promise<void> {
  if (found.length === 0) return;
  await manager.query(
    `INSERT INTO incidents (id, kind, cause, owner)
     SELECT gen_random_uuid(), kind, cause, $3 FROM unnest($1::text[], $2::text[]) AS found (kind, cause)
     ON CONFLICT DO NOTHING`,
    [found.map(({ kind }) => kind), found.map(({ cause }) => cause), OWNER],
  );
}

/** How many are open, of each of these kinds that has any. */
export async function openIncidentsOf(
  manager: EntityManager,
  kinds: readonly IncidentKind[],
): Promise<Readonly<Partial<Record<IncidentKind, number>>>> {
  const rows: { kind: IncidentKind; open: string }[] = await manager.query(
    `SELECT kind, count(*) AS open FROM incidents WHERE state = 'open' AND kind = ANY($1::text[]) GROUP BY kind`,
    [kinds],
  );
  return Object.fromEntries(rows.map(({ kind, open }) => [kind, Number(open)]));
}

/** Oldest first. */
export async function incidents(
  manager: EntityManager,
  { state, limit }: { readonly state: Incident['state']; readonly limit: number },
): Promise<readonly Incident[]> {
  return manager.query(`SELECT ${COLUMNS} FROM incidents WHERE state = $1 ORDER BY opened_at, id LIMIT $2`, [
    state,
    limit,
  ]);
}

/**
 * Says what came of an incident; for good.
 * @throws Refused not-found, or conflict where it is closed
 */
export async function closeIncident(
  manager: EntityManager,
  { id, by, reason }: { readonly id: string; readonly by: string; readonly reason: string },
): Promise<Incident> {
  const [closed]: [Incident[], number] = await manager.query(
    `UPDATE incidents SET state = 'closed', closed_at = clock_timestamp(), closed_by = $2, reason = $3
     WHERE id = $1 AND state = 'open' RETURNING ${COLUMNS}`,
    [id, by, reason],
  );
  if (closed[0] !== undefined) return closed[0];
  const known: unknown[] = await manager.query('SELECT FROM incidents WHERE id = $1', [id]);
  if (known.length === 0)
    throw new Refused({ kind: 'not-found', code: 'no-such-incident', detail: 'There is no such incident.' });
  throw new Refused({ kind: 'conflict', code: 'incident-closed', detail: 'This incident is closed already.' });
}

/** As it is shown over HTTP. */
export const viewOf = ({ id, openedAt, closedAt, ...rest }: Incident) => ({
  incident: id,
  ...rest,
  openedAt: openedAt.toISOString(),
  closedAt: closedAt?.toISOString() ?? null,
});

export type IncidentView = ReturnType<typeof viewOf>;
