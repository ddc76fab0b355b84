import type { AttributeName, DoorName, PurposeName, RecipientKind, Tier } from '@castiron/contracts';
import type { EntityManager } from 'typeorm';
import type { AgreedPurpose, Facts, ListedPurpose } from '../confidentiality/facts.js';
import { DAYS_TO_DELETE } from '../obligations/days-to-delete.js';
import type { Holding, ShareState } from '../shares/share.js';
import type { DecidedOn, Versions } from './decided-on.js';

/** A share with all that a decision about it rests on, read in one snapshot. */
export interface LoadedShare {
  readonly id: string;
  readonly customer: string;
  readonly recipient: string;
  readonly recipientName: string;
  /** Whether the recipient's topics stand. */
  readonly provisioned: boolean;
  readonly subject: string;
  readonly state: ShareState;
  readonly version: number;
  readonly holds: readonly Holding[];
  readonly mailing: 'allowed' | 'stopped';
  /** The last cancellation of mailings that the recipient reported. */
  readonly mailingCancelledAt: Date | null;
  readonly entry: string | null;
  readonly epochs: { readonly agreement: string; readonly customer: string; readonly share: string };
  readonly customerVersion: number;
  /** The agreement in force, or the latest one; null for internal recipients. */
  readonly agreement: string | null;
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

interface Row {
  id: string | null;
  customer: string;
  recipient: string;
  recipient_name: string;
  provisioned: boolean;
  kind: RecipientKind;
  registered: ListedPurpose[] | null;
  subject: string | null;
  state: ShareState | null;
  version: number | null;
  holds: Holding[] | null;
  mailing: 'allowed' | 'stopped' | null;
  mailing_cancelled_at: Date | null;
  entry: string | null;
  share_epoch: string | null;
  customer_version: number | null;
  customer_epoch: string | null;
  deleted: boolean | null;
  door: DoorName | null;
  customer_purposes: PurposeName[] | null;
  attributes: LoadedShare['attributes'] | null;
  agreement: string | null;
  agreement_state: 'drafted' | 'in-force' | 'terminated' | null;
  agreement_epoch: string | null;
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

const COLUMNS = `
  s.id, wanted.customer, r.slug AS recipient, r.name AS recipient_name, r.provisioned_at IS NOT NULL AS provisioned, r.kind, r.purposes AS registered,
  s.subject, s.state, s.version, s.holds, s.mailing, s.mailing_cancelled_at, s.entry, s.epoch AS share_epoch,
  c.version AS customer_version, c.epoch AS customer_epoch, c.deleted, c.door, c.purposes AS customer_purposes, c.attributes,
  a.id AS agreement, a.state AS agreement_state, a.epoch AS agreement_epoch, a.purposes AS agreed, a.highest_tier,
  a.valid_from, a.valid_until, a.days_to_delete,
  given.permissions, given.permission_versions,
  (SELECT jsonb_object_agg(o.purpose, o.version) FROM objections o
    WHERE o.customer = wanted.customer AND o.recipient = r.slug AND o.state = 'standing') AS objections,
  EXISTS (SELECT 1 FROM obligations o WHERE o.share = s.id AND o.complete AND o.state = 'open') AS owes`;

const JOINS = `
  JOIN recipients r ON r.slug = wanted.recipient
  LEFT JOIN shares s ON s.customer = wanted.customer AND s.recipient = r.slug
  LEFT JOIN customers c ON c.id = wanted.customer
  LEFT JOIN LATERAL (
    SELECT jsonb_object_agg(p.purpose, p.state) AS permissions, jsonb_object_agg(p.purpose, p.version) AS permission_versions
    FROM permissions p WHERE p.customer = wanted.customer AND p.recipient = r.slug) given ON true
  LEFT JOIN LATERAL (
    SELECT * FROM agreements WHERE recipient = r.slug AND r.kind <> 'internal'
    -- One that ended says more than a draft: what is withdrawn was under it.
    ORDER BY state = 'in-force' DESC, state <> 'drafted' DESC, (valid_from <= now() AND valid_until > now()) DESC,
      created_at DESC LIMIT 1) a ON true`;

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
  id: row.id ?? '',
  customer: row.customer,
  recipient: row.recipient,
  recipientName: row.recipient_name,
  provisioned: row.provisioned,
  subject: row.subject ?? '',
  state: row.state ?? 'none',
  version: row.version ?? 0,
  holds: row.holds ?? [],
  mailing: row.mailing ?? 'stopped',
  mailingCancelledAt: row.mailing_cancelled_at,
  entry: row.entry,
  epochs: { agreement: row.agreement_epoch ?? '0', customer: row.customer_epoch ?? '0', share: row.share_epoch ?? '0' },
  customerVersion: row.customer_version ?? 0,
  agreement: row.agreement,
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
  const rows: Row[] = await manager.query(
    `SELECT ${COLUMNS} FROM (SELECT customer, recipient FROM shares WHERE id = ANY($1::uuid[])) wanted ${JOINS}`,
    [ids],
  );
  return new Map(rows.map((row) => [row.id ?? '', loadedOf(row)]));
}

/** One share by what it is about; undefined where there is no such recipient. A share not made yet has id ''. */
export async function loadShareOf(
  manager: EntityManager,
  customer: string,
  recipient: string,
): Promise<LoadedShare | undefined> {
  const rows: Row[] = await manager.query(
    `SELECT ${COLUMNS} FROM (SELECT $1::uuid AS customer, $2::text AS recipient) wanted ${JOINS}`,
    [customer, recipient],
  );
  return rows.map(loadedOf)[0];
}
