import {
  ATTRIBUTES,
  attributesOfDoor,
  isAttribute,
  type Attribute,
  type AttributeName,
  type DoorName,
} from '@castiron/contracts';
import { ok, refused, type Result } from '@castiron/failures';

/** C0, DEL and C1, and the two line separators that many programs break lines at. */
const CONTROL = /[\p{Cc}\u2028\u2029]/u;
const CONTROL_BUT_NEWLINE = /(?!\n)[\p{Cc}\u2028\u2029]/u;

const HALF_SURROGATE = /\p{Cs}/u;

const LABEL = String.raw`[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?`;
/** Narrower than RFC 5322 on purpose: no quoting, comments or lists, so nothing can change a mail's header. */
const EMAIL = new RegExp(String.raw`^[^\s@<>()\[\]\\,;:"]{1,64}@(?:${LABEL}\.)+${LABEL}$`, 'u');

/** A name that came from outside is shown again only where it looks like one: it might be a value in the wrong place. */
const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,39}$/;

/**
 * Where in the request a field stands: `attributes.companyName`. A name that does not look like one is left out.
 */
export function fieldOf(prefix: string, name: string): string {
  if (NAME.test(name)) return prefix === '' ? name : `${prefix}.${name}`;
  return prefix === '' ? 'body' : prefix;
}

/** Whether customers of this door are asked for this attribute at all (P1, P12). */
export function decideName(door: DoorName, name: string, field: string): Result<AttributeName> {
  if (!isAttribute(name)) {
    return refused({
      kind: 'invalid',
      code: 'attribute-unknown',
      detail: 'The catalogue has no such attribute.',
      field,
      promise: 'P1',
    });
  }
  if (!attributesOfDoor(door).includes(name)) {
    return refused({
      kind: 'invalid',
      code: 'attribute-not-asked',
      detail: `No purpose of the door ${door} asks for ${name}.`,
      field,
      promise: 'P12',
    });
  }
  return ok(name);
}

/** A value as it will be stored; its refusals never repeat it (P6). */
export function decideValue(name: AttributeName, given: unknown, field: string): Result<string> {
  const { maxLength, multiline }: Attribute = ATTRIBUTES[name];
  const refuse = (code: string, what: string) =>
    refused({ kind: 'invalid', code, detail: `${name} ${what}.`, field, promise: 'P6' });

  if (typeof given !== 'string') return refuse('attribute-not-text', 'must be text');
  // A half surrogate would be stored as another character than the one given.
  if (HALF_SURROGATE.test(given)) return refuse('attribute-not-unicode', 'is not well-formed Unicode');
  const value = multiline ? given.replaceAll('\r\n', '\n') : given;
  if ((multiline ? CONTROL_BUT_NEWLINE : CONTROL).test(value)) {
    return refuse(
      'attribute-control-characters',
      `must not hold control characters${multiline ? ' other than line breaks' : ' or line breaks'}`,
    );
  }
  if (value.trim() === '') return refuse('attribute-empty', 'must not be empty');
  if (value.length > maxLength) return refuse('attribute-too-long', `must not be longer than ${maxLength} characters`);
  if (name === 'email' && !EMAIL.test(value)) return refuse('attribute-not-an-email', 'must be an e-mail address');
  return ok(value);
}
