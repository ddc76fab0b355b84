import { Type } from 'typebox';
import { defineEvent } from '../event.js';
import { Base64Url, Instant, Long, perAttribute, Uuid, Version } from '../fields.js';
import { PurposeWithGround } from '../sharing/grounds.js';
import { defineTopicFamily } from '../topic.js';

/** One feed per recipient. Few partitions: never raised in place. */
export const feeds = defineTopicFamily({ prefix: 'feeds', kind: 'state', partitions: 2 });

const FeedAttribute = Type.Object(
  {
    value: Type.Optional(Type.String()),
    held: Type.Optional(Type.Literal('disputed')),
    purposes: Type.Array(PurposeWithGround, { minItems: 1 }),
    opening: Base64Url,
  },
  { additionalProperties: false },
);

/**
 * All that this recipient may hold about this subject now: what is missing must be deleted, what is `held` must be
 * kept and not used. The key is the subject id, random per recipient. `opening` is the salt that opens the commitment
 * of the ledger entry: over the subject id for the record, over the value for each attribute.
 */
export const feedRecord = defineEvent({
  type: 'feeds.record.v1',
  topic: feeds,
  producer: 'partner-sharing',
  classification: 'restricted',
  personal: true,
  schema: Type.Object(
    {
      subject: Uuid,
      /** Grows by one with every record of this subject; a reader refuses to go back. */
      version: Version,
      entry: Uuid,
      index: Long,
      opening: Base64Url,
      attributes: perAttribute(FeedAttribute),
      mailing: Type.Enum(['allowed', 'stopped']),
      /** The last cancellation of mailings that this record takes into account, on the feed of who reported it (P16). */
      mailingCancelledAt: Type.Optional(Instant),
      retainUntil: Type.Optional(Instant),
    },
    { additionalProperties: false },
  ),
  key: (data) => data.subject,
  example: {
    subject: '8d0e5a0e-6ff2-4d1e-8d0e-2f1f3c1a9b10',
    version: 2,
    entry: '0193566f-8a3c-7cc1-9d3f-0242ac120002',
    index: '41',
    opening: 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg',
    attributes: {
      companyName: {
        value: 'Example Ltd',
        purposes: [{ purpose: 'recommendation', ground: 'permission' }],
        opening: 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg',
      },
    },
    mailing: 'stopped',
  },
});
