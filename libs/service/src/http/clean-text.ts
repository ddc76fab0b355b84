import { Refused } from '@castiron/failures';

/** C0 controls but tab, line feed and carriage return; delete; C1 controls; lone surrogates. */
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\p{Surrogate}]/u;

/** Nothing that people write is nested deeper; walking it further would only cost. */
const MAX_DEPTH = 32;

/** How much of the way down is told. */
const NAMED_DEPTH = 2;

const isClean = (value: string): boolean => !CONTROL.test(value);

/** What comes in must break nothing that holds other people's data. */
const PROMISE = 'P7';

const MAX_FIELD = 200;

const refusal = (field: string): Refused =>
  new Refused({
    kind: 'invalid',
    code: 'control-characters',
    field: field === '' ? 'body' : field.slice(0, MAX_FIELD),
    detail: 'Control characters and broken Unicode are not accepted.',
    promise: PROMISE,
  });

const inside = (field: string, name: string): string => (field === '' ? name : `${field}.${name}`);

/**
 * Refuses control characters and lone surrogates in every string and name of a parsed body, query or path: they break
 * logs, mail headers and CSV files, and PostgreSQL does not store NUL. Line breaks and tabs pass here; single-line
 * fields refuse them by their own declaration.
 */
export function assertCleanText(value: unknown, field = ''): void {
  if (typeof value === 'string') {
    if (!isClean(value)) throw refusal(field);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    // A name that is not clean is not repeated.
    if (!isClean(name)) throw refusal(field);
    assertCleanText(inner, inside(field, name));
  }
}

/**
 * Refuses what is nested without end, before anything walks it: at some depth, whatever walks it runs out of stack. The
 * refusal names the field, and in a list the one at fault.
 */
export function assertShallow(value: unknown, field = '', depth = 0): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth === MAX_DEPTH) {
    throw new Refused({
      kind: 'invalid',
      code: 'too-deep',
      field: field === '' ? 'body' : field.slice(0, MAX_FIELD),
      detail: `The body is nested deeper than ${MAX_DEPTH} levels.`,
      promise: PROMISE,
    });
  }
  for (const [name, inner] of Object.entries(value)) {
    assertShallow(inner, depth < NAMED_DEPTH && isClean(name) ? inside(field, name) : field, depth + 1);
  }
}

/** Header values: no control character at all (RFC 9110, section 5.5, less the tab, which none of ours needs). */
const CONTROL_IN_HEADER = /[\u0000-\u001f\u007f]/;

export function assertCleanHeaders(headers: Readonly<Record<string, string | readonly string[] | undefined>>): void {
  for (const [name, value] of Object.entries(headers)) {
    const values = typeof value === 'string' ? [value] : (value ?? []);
    if (values.some((one) => CONTROL_IN_HEADER.test(one))) {
      throw new Refused({
        kind: 'invalid',
        code: 'control-characters',
        field: `header ${name}`,
        detail: 'A header holds control characters.',
        promise: PROMISE,
      });
    }
  }
}
