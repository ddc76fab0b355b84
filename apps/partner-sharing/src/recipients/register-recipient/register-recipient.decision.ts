import {
  attributesOf,
  isAttribute,
  isPurpose,
  type AttributeName,
  type PurposeName,
  type RecipientKind,
} from '@castiron/contracts';
import { ok, refused, type Result } from '@castiron/failures';
import type { ListedPurpose } from '../../confidentiality/facts.js';

export interface Registration {
  readonly slug: string;
  readonly name: string;
  readonly kind: RecipientKind;
  readonly purposes?: readonly { readonly purpose: string; readonly attributes: readonly string[] }[] | undefined;
}

/** Our own, on the broker and as callers over HTTP: a recipient of that name would get their rights. */
const RESERVED: ReadonlySet<string> = new Set([
  'admin',
  'anonymous',
  'provisioner',
  'customer-profiles',
  'partner-sharing',
  'site-visits',
  'portal',
  'importer',
]);
/** Principals of the house that are recipients themselves. */
export const HOUSE_PRINCIPALS: ReadonlySet<string> = new Set(['notifications', 'recommendations']);

/**
 * Which of the listed purposes or attributes the catalogue does not have, as a path of the request. Only names of the
 * catalogue are repeated: anything else might be anything.
 */
export function unlisted(
  purposes: readonly { readonly purpose: string; readonly attributes: readonly string[] }[],
  at: string,
): { readonly field: string; readonly detail: string } | undefined {
  for (const [index, { purpose, attributes }] of purposes.entries()) {
    if (!isPurpose(purpose)) return { field: `${at}.${index}.purpose`, detail: 'The catalogue has no such purpose.' };
    if (attributes.length === 0)
      return { field: `${at}.${index}.attributes`, detail: `No attribute is listed for ${purpose}.` };
    const listed: readonly string[] = attributesOf(purpose);
    const stranger = attributes.findIndex((attribute) => !listed.includes(attribute));
    if (stranger < 0) continue;
    const name = attributes[stranger] ?? '';
    const what = isAttribute(name) ? `the attribute ${name}` : 'this attribute';
    return {
      field: `${at}.${index}.attributes.${stranger}`,
      detail: `The catalogue does not list ${what} for ${purpose}.`,
    };
  }
  return undefined;
}

export interface Registered {
  readonly slug: string;
  readonly name: string;
  readonly kind: RecipientKind;
  readonly purposes: readonly ListedPurpose[] | null;
}

/** An internal recipient registers its purposes; a partner gets everything from its agreement (P8). Pure. */
export function decideRegistration({ slug, name, kind, purposes }: Registration): Result<Registered> {
  const refuse = (code: string, field: string, detail: string) =>
    refused({ kind: 'invalid', code, field, detail, promise: 'P8' });
  if (RESERVED.has(slug) || (kind !== 'internal' && HOUSE_PRINCIPALS.has(slug))) {
    return refuse('slug-reserved', 'slug', 'This slug belongs to the house.');
  }
  if (kind !== 'internal') {
    return purposes === undefined || purposes.length === 0
      ? ok({ slug, name, kind, purposes: null })
      : refuse('purposes-by-agreement', 'purposes', 'A partner has no purposes of its own: its agreement lists them.');
  }
  if (purposes === undefined || purposes.length === 0) {
    return refuse('purposes-required', 'purposes', 'An internal recipient registers the purposes it serves.');
  }
  const stranger = unlisted(purposes, 'purposes');
  if (stranger !== undefined) return refuse('not-in-catalogue', stranger.field, stranger.detail);
  const twice = purposes.findIndex(
    ({ purpose }, index) => purposes.findIndex((one) => one.purpose === purpose) < index,
  );
  if (twice >= 0) return refuse('purpose-listed-twice', `purposes.${twice}.purpose`, 'A purpose is listed once.');
  return ok({
    slug,
    name,
    kind,
    purposes: purposes.map(({ purpose, attributes }) => ({
      purpose: purpose as PurposeName,
      attributes: [...new Set(attributes)] as AttributeName[],
    })),
  });
}
