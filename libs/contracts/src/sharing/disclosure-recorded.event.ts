import { Type } from 'typebox';
import { defineEvent } from '../event.js';
import { Base64Url, Instant, Long, Slug, Uuid } from '../fields.js';
import { defineTopic } from '../topic.js';

export const sharingDisclosures = defineTopic({ name: 'sharing.disclosures.v1', kind: 'events', partitions: 6 });

export const ENTRY_KINDS = ['released', 'withdrawn', 'tombstone', 'withheld', 'aborted'] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];

/** A ledger entry was appended (P10). No personal data, no customer, no subject. */
export const disclosureRecorded = defineEvent({
  type: 'sharing.disclosure-recorded.v1',
  topic: sharingDisclosures,
  producer: 'partner-sharing',
  classification: 'internal',
  personal: false,
  schema: Type.Object(
    {
      entry: Uuid,
      index: Long,
      kind: Type.Enum([...ENTRY_KINDS]),
      recipient: Slug,
      leafHash: Base64Url,
      /** The entry, byte for byte as it was hashed: from these a restored ledger is completed. */
      leaf: Type.Optional(Type.String({ maxLength: 65_536 })),
      at: Instant,
    },
    { additionalProperties: false },
  ),
  key: (data) => data.recipient,
  example: {
    entry: '0193566f-8a3c-7cc1-9d3f-0242ac120002',
    index: '41',
    kind: 'released',
    recipient: 'northern-hosting',
    leafHash: 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg',
    at: '2026-11-23T09:00:00.000Z',
  },
});
