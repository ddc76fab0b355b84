/** RFC 3339 with its offset, in years that every part of the system can write: a day alone begins elsewhere for each side. */
const INSTANT =
  /^((?:19\d\d|2\d{3})-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/**
 * An instant as it comes in: `2026-11-23T09:00:00Z`, `2026-11-23T10:00:00.5+01:00`. Everything else that ISO 8601 knows,
 * such as weeks, days of the year, and seconds or minutes left out, is none here.
 *
 * @returns undefined for anything else, days that no month has included
 */
export function instantOf(given: unknown): Date | undefined {
  const day = typeof given === 'string' ? INSTANT.exec(given)?.[1] : undefined;
  if (day === undefined) return undefined;
  // `Date` takes the 30th of February for the 2nd of March.
  if (!new Date(`${day}T00:00:00Z`).toISOString().startsWith(day)) return undefined;
  return new Date(given as string);
}

/**
 * What no text of ours holds: control characters, line and paragraph separators, half characters, and the marks that
 * turn the direction of what is written, by which a name can be made to look like another one.
 */
const UNCLEAN = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}]/u;
const UNCLEAN_BUT_BREAKS = /(?![\t\n\r])[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}]/u;
/** Something to be seen: a text of blanks and of characters without a width says nothing. */
const SEEN = /[\p{L}\p{N}\p{P}\p{S}]/u;

/** Whether it is one line of text, with something to be read, of `max` characters (UTF-16 units) at most. */
export const isLine = (given: unknown, max: number): given is string =>
  typeof given === 'string' && given.length <= max && SEEN.test(given) && !UNCLEAN.test(given);

/** Like {@link isLine}, with line breaks and tabs. */
export const isText = (given: unknown, max: number): given is string =>
  typeof given === 'string' && given.length <= max && SEEN.test(given) && !UNCLEAN_BUT_BREAKS.test(given);
