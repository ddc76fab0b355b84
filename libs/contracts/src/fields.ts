import { Type, type Static, type TSchema } from 'typebox';
import { ATTRIBUTE_NAMES, type AttributeName } from './catalogue.js';
import { SLUG_PATTERN } from './topic.js';

/** Schemas of fields that many events share. */
// The format alone lets `urn:uuid:` stand before it, which no column takes.
export const Uuid = Type.String({ format: 'uuid', maxLength: 36 });
export const Instant = Type.String({ format: 'date-time', description: 'RFC 3339, UTC' });
export const Slug = Type.String({ pattern: SLUG_PATTERN });
/** As large as a column for it holds. */
export const Version = Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 });
/** A 64-bit number: a string, since JSON numbers end at 2^53. */
export const Long = Type.String({ pattern: '^(0|[1-9][0-9]{0,18})$' });
export const Base64 = Type.String({ pattern: '^[A-Za-z0-9+/]*={0,2}$' });
export const Base64Url = Type.String({ pattern: '^[A-Za-z0-9_-]+$' });

/** An object with any of the catalogue's attributes as keys, and no other. */
export const perAttribute = <Schema extends TSchema>(schema: Schema) =>
  // The type is written out: a record over a list of names that is no tuple infers as `object`.
  Type.Unsafe<{ [Name in AttributeName]?: Static<Schema> }>(
    Type.Partial(Type.Record(Type.Enum(ATTRIBUTE_NAMES), schema), { additionalProperties: false }),
  );
