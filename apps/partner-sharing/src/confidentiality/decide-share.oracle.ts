import type { Facts } from './facts.js';

/**
 * What may go, said a second time and in another way: a table over (attribute, purpose), and one line per ground. It
 * shares no code with the decision, not even the catalogue: it is the word that the decision is held to by a property.
 */

/** Attribute, tier (0 public .. 3 restricted), and an x where the purpose needs it. */
const TABLE = `
  attribute          tier  invoicing  service-delivery  recommendation  security  mailing  notices  recruitment  event-registration
  companyName        0     x          x                 x               x         x        x        .            x
  registeredAddress  1     x          .                 .               .         .        .        .            .
  vatNumber          1     x          .                 .               .         .        .        .            .
  servicesUsed       2     x          x                 x               .         .        .        .            .
  domainNames        1     .          x                 .               x         .        .        .            .
  contactName        1     .          x                 .               x         x        x        x            x
  email              2     x          x                 x               x         x        x        x            x
  phone              2     .          x                 .               x         .        .        x            x
  curriculumVitae    3     .          .                 .               .         .        .        x            .
`;

/** Purposes that each door serves, less those that need a permission whatever the door. */
const SERVED_WITHOUT_PERMISSION: Record<string, string> = {
  'service-order': 'invoicing service-delivery security notices',
  subscription: 'notices',
  'job-application': 'recruitment notices',
};

const TIER_NUMBER: Record<string, number> = { public: 0, internal: 1, confidential: 2, restricted: 3 };

interface Cell {
  readonly attribute: string;
  readonly tier: number;
  readonly purpose: string;
}

const lines = TABLE.trim()
  .split('\n')
  .map((line) => line.trim().split(/ +/));
const header = lines[0] ?? [];

/** The cells with an x. */
const CELLS: readonly Cell[] = lines
  .slice(1)
  .flatMap((line) =>
    line.flatMap((mark, column) =>
      mark === 'x' ? [{ attribute: line[0] ?? '', tier: Number(line[1]), purpose: header[column] ?? '' }] : [],
    ),
  );

function groundOf({ attribute, tier, purpose }: Cell, facts: Facts, now: number): string | undefined {
  const { recipient, agreement, customer } = facts;
  if (customer.erased || !customer.held.some((name) => name === attribute)) return undefined;
  const served =
    (SERVED_WITHOUT_PERMISSION[customer.door] ?? '').split(' ').includes(purpose) &&
    customer.purposes.some((name) => name === purpose);
  const said = new Map<string, string>(Object.entries(facts.permissions)).get(purpose);

  if (recipient.kind === 'internal') {
    const registered = recipient.registeredPurposes.some(
      (p) => p.purpose === purpose && p.attributes.some((a) => a === attribute),
    );
    if (!registered) return undefined;
    return said === 'granted' ? 'permission' : served ? 'own-purpose' : undefined;
  }

  if (agreement?.state !== 'in-force' || agreement.from.getTime() > now) return undefined;
  if (agreement.until !== null && agreement.until.getTime() <= now) return undefined;
  if ((TIER_NUMBER[agreement.highestTier] ?? -1) < tier) return undefined;
  const signedFor = agreement.purposes
    .filter((p) => p.purpose === purpose && p.attributes.some((a) => a === attribute))
    .map((p): string => p.ground);
  if (signedFor.length === 0) return undefined;
  if (said === 'granted') return 'permission';
  const against = said === 'revoked' || facts.objections.some((name) => name === purpose);
  const cooperates = recipient.kind === 'network-member' && signedFor.includes('cooperation');
  return cooperates && served && !against ? 'cooperation' : undefined;
}

/** Every (attribute, purpose) that may go, as `attribute for purpose by ground`, sorted. */
export function mayGo(facts: Facts, now: Date): readonly string[] {
  return CELLS.flatMap((cell) => {
    const ground = groundOf(cell, facts, now.getTime());
    return ground === undefined ? [] : [`${cell.attribute} for ${cell.purpose} by ${ground}`];
  }).sort();
}
