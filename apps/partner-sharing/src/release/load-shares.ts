import type { AttributeName, DoorName, PurposeName, RecipientKind, Tier } from '@castiron/contracts';
import type { EntityManager } from 'typeorm';
import type { AgreedPurpose, Facts, ListedPurpose } from '../confidentiality/facts.js';
import { DAYS_TO_DELETE } from '../obligations/days-to-delete.js';
import type { Holding, ShareState } from '../shares/share.js';
import type { DecidedOn, Versions } from './decided-on.js';

/** What changes with all that a decision about a share rests on, but for the time. */
export interface Standing {
  readonly epochs: { readonly agreement: string; readonly customer: string; readonly share: string };
  /** Of the customer's profile; 0 where it has not arrived. */
  readonly customerVersion: number;
  /** The agreement in force, or the latest one; null for internal recipients. */
  readonly agreement: string | null;
  /** Of the last record. */
  readonly version: number;
}

/** A share with all that a decision about it rests on, read in one snapshot. */
export interface LoadedShare extends Standing {
  readonly id: string;
  readonly customer: string;
  readonly recipient: string;
  readonly recipientName: string;
  /** Whether the recipient's topics stand. */
  readonly provisioned: boolean;
  readonly subject: string;
  readonly state: ShareState;
  readonly holds: readonly Holding[];
  readonly mailing: 'allowed' | 'stopped';
  /** The last cancellation of mailings that the recipient reported. */
  readonly mailingCancelledAt: Date | null;
  readonly entry: string | null;
  readonly agreementUntil: Date | null;
  /** By its agreement, or as for all. */
  readonly daysToDelete: number;
  /** Sealed values, with the profile's version each was given at. */
  readonly attributes: Readonly<Partial<Record<AttributeName, { readonly version: number; readonly sealed: string }>>>;
  /** A complete withdrawal that the recipient has not confirmed and whose time is not over. */
  readonly owesDeletion: boolean;
  /** null where the customer's profile has not arrived. */
  readonly facts: Facts | null;
  /** The same facts as they are kept; null where there are none, or their customer was erased. */
  readonly decidedOn: DecidedOn | null;
}

interface StandingRow {
  id: string | null;
  version: number | null;
  share_epoch: string | null;
  customer_version: number | null;
  customer_epoch: string | null;
  agreement: string | null;
  agreement_epoch: string | null;
}

interface Row extends StandingRow {
  customer: string;
  recipient: string;
  recipient_name: string;
  provisioned: boolean;
  kind: RecipientKind;
  registered: ListedPurpose[] | null;
  subject: string | null;
  state: ShareState | null;
  holds: Holding[] | null;
  mailing: 'allowed' | 'stopped' | null;
  mailing_cancelled_at: Date | null;
  entry: string | null;
  deleted: boolean | null;
  door: DoorName | null;
  customer_purposes: PurposeName[] | null;
  attributes: LoadedShare['attributes'] | null;
  agreement_state: 'drafted' | 'in-force' | 'terminated' | null;
  agreed: AgreedPurpose[] | null;
  highest_tier: Tier | null;
  valid_from: Date | null;
  valid_until: Date | null;
  days_to_delete: number | null;
  permissions: Facts['permissions'] | null;
  permission_versions: Versions | null;
  objections: Versions | null;
  owes: boolean;
}

const STANDING = `
  s.id, s.version, s.epoch AS share_epoch, c.version AS customer_version, c.epoch AS customer_epoch,
  a.id AS agreement, a.epoch AS agreement_epoch`;

const COLUMNS = `${STANDING},
  s.customer, r.slug AS recipient, r.name AS recipient_name, r.provisioned_at IS NOT NULL AS provisioned, r.kind, r.purposes AS registered,
  s.subject, s.state, s.holds, s.mailing, s.mailing_cancelled_at, s.entry,
  c.deleted, c.door, c.purposes AS customer_purposes, c.attributes,
  a.state AS agreement_state, a.purposes AS agreed, a.highest_tier, a.valid_from, a.valid_until, a.days_to_delete,
  given.permissions, given.permission_versions,
  (SELECT jsonb_object_agg(o.purpose, o.version) FROM objections o
    WHERE o.customer = s.customer AND o.recipient = r.slug AND o.state = 'standing') AS objections,
  EXISTS (SELECT 1 FROM obligations o WHERE o.share = s.id AND o.complete AND o.state = 'open') AS owes`;

/** The agreement in force of each recipient among what is asked for, or the one that says most: looked for once for all its shares. */
const FROM_ASKED = `
  FROM asked s
  JOIN recipients r ON r.slug = s.recipient
  LEFT JOIN customers c ON c.id = s.customer
  LEFT JOIN (
    SELECT DISTINCT ON (recipient) * FROM agreements WHERE recipient IN (SELECT recipient FROM asked)
    -- One that ended says more than a draft: what is withdrawn was under it.
    ORDER BY recipient, state = 'in-force' DESC, state <> 'drafted' DESC, (valid_from <= now() AND valid_until > now()) DESC,
      created_at DESC) a ON a.recipient = r.slug AND r.kind <> 'internal'`;

const PERMISSIONS = `
  LEFT JOIN LATERAL (
    SELECT jsonb_object_agg(p.purpose, p.state) AS permissions, jsonb_object_agg(p.purpose, p.version) AS permission_versions
    FROM permissions p WHERE p.customer = s.customer AND p.recipient = r.slug) given ON true`;

const BY_ID = 'WITH asked AS MATERIALIZED (SELECT * FROM shares WHERE id = ANY($1::uuid[]))';
/** Also where there is no such share yet. */
const BY_WHAT_IT_IS_ABOUT = `WITH asked AS MATERIALIZED (
  SELECT * FROM (SELECT $1::uuid AS customer, $2::text AS recipient) about LEFT JOIN shares USING (customer, recipient))`;

function factsOf(row: Row): Facts | null {
  if (row.customer_version === null || row.door === null) return null;
  return {
    recipient: { slug: row.recipient, kind: row.kind, registeredPurposes: row.registered ?? [] },
    agreement:
      row.agreement === null || row.agreement_state === null || row.valid_from === null || row.highest_tier === null
        ? null
        : {
            id: row.agreement,
            state: row.agreement_state,
            from: row.valid_from,
            until: row.valid_until,
            highestTier: row.highest_tier,
            purposes: row.agreed ?? [],
          },
    customer: {
      erased: row.deleted === true,
      door: row.door,
      purposes: row.customer_purposes ?? [],
      held: Object.keys(row.attributes ?? {}) as AttributeName[],
    },
    permissions: row.permissions ?? {},
    objections: Object.keys(row.objections ?? {}) as PurposeName[],
  };
}

const standingOf = (row: StandingRow): Standing => ({
  epochs: { agreement: row.agreement_epoch ?? '0', customer: row.customer_epoch ?? '0', share: row.share_epoch ?? '0' },
  customerVersion: row.customer_version ?? 0,
  agreement: row.agreement,
  version: row.version ?? 0,
});

function decidedOn(row: Row, facts: Facts | null): DecidedOn | null {
  if (facts === null || facts.customer.erased) return null;
  const { door, purposes, held } = facts.customer;
  return {
    agreementEpoch: row.agreement_epoch,
    permissions: row.permission_versions ?? {},
    objections: row.objections ?? {},
    customer: { version: row.customer_version ?? 0, door, purposes, held },
  };
}

function loadedOf(row: Row): LoadedShare {
  const facts = factsOf(row);
  return { ...shareOf(row), facts, decidedOn: decidedOn(row, facts) };
}

const shareOf = (row: Row): Omit<LoadedShare, 'facts' | 'decidedOn'> => ({
  ...standingOf(row),
  id: row.id ?? '',
  customer: row.customer,
  recipient: row.recipient,
  recipientName: row.recipient_name,
  provisioned: row.provisioned,
  subject: row.subject ?? '',
  state: row.state ?? 'none',
  holds: row.holds ?? [],
  mailing: row.mailing ?? 'stopped',
  mailingCancelledAt: row.mailing_cancelled_at,
  entry: row.entry,
  agreementUntil: row.valid_until,
  daysToDelete: row.days_to_delete ?? DAYS_TO_DELETE,
  attributes: row.attributes ?? {},
  owesDeletion: row.owes,
});

/** Shares by id; those that do not exist are left out. */
export async function loadShares(
  manager: EntityManager,
  ids: readonly string[],
): Promise<ReadonlyMap<string, LoadedShare>> {
  if (ids.length === 0) return new Map();
  const rows: Row[] = await manager.query(`${BY_ID} SELECT ${COLUMNS} ${FROM_ASKED} ${PERMISSIONS}`, [ids]);
  return new Map(rows.map((row) => [row.id ?? '', loadedOf(row)]));
}

/** The same, as far as it tells whether anything changed since: a quarter of the work. */
export async function loadStandings(
  manager: EntityManager,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Standing>> {
  const rows: StandingRow[] = await manager.query(`${BY_ID} SELECT ${STANDING} ${FROM_ASKED}`, [ids]);
  return new Map(rows.map((row) => [row.id ?? '', standingOf(row)]));
}

/** One share by what it is about; undefined where there is no such recipient. A share not made yet has id ''. */
export async function loadShareOf(
  manager: EntityManager,
  customer: string,
  recipient: string,
): Promise<LoadedShare | undefined> {
  const rows: Row[] = await manager.query(`${BY_WHAT_IT_IS_ABOUT} SELECT ${COLUMNS} ${FROM_ASKED} ${PERMISSIONS}`, [
    customer,
    recipient,
  ]);
  return rows.map(loadedOf)[0];
}
