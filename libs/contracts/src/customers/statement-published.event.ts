import { Type } from 'typebox';
import { defineEvent } from '../event.js';
import { Instant, Version } from '../fields.js';
import { defineTopic } from '../topic.js';

export const customersStatements = defineTopic({ name: 'customers.statements.v1', kind: 'state', partitions: 1 });

/** A version of the privacy statement (P17). */
export const statementPublished = defineEvent({
  type: 'customers.statement-published.v1',
  topic: customersStatements,
  producer: 'customer-profiles',
  classification: 'public',
  personal: false,
  schema: Type.Object(
    { version: Version, effectiveFrom: Instant, sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }) },
    { additionalProperties: false },
  ),
  key: (data) => String(data.version),
  example: {
    version: 1,
    effectiveFrom: '2026-01-01T00:00:00.000Z',
    sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  },
});
