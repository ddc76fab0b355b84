import { Type } from 'typebox';
import { defineEvent } from '../event.js';
import { Instant, Slug, Uuid } from '../fields.js';
import { defineTopic } from '../topic.js';

export const sharingAgreements = defineTopic({ name: 'sharing.agreements.v1', kind: 'state', partitions: 3 });

/** An agreement of confidentiality as it stands now (P8). `terminated` is an end state and is never tombstoned. */
export const agreementChanged = defineEvent({
  type: 'sharing.agreement-changed.v1',
  topic: sharingAgreements,
  producer: 'partner-sharing',
  classification: 'internal',
  personal: false,
  schema: Type.Object(
    {
      agreement: Uuid,
      recipient: Slug,
      state: Type.Enum(['drafted', 'in-force', 'terminated']),
      epoch: Type.Integer({ minimum: 0 }),
      at: Instant,
    },
    { additionalProperties: false },
  ),
  key: (data) => data.agreement,
  example: {
    agreement: '0d9a41f7-35d5-4f5c-9a4f-0f7a5e0d6f01',
    recipient: 'northern-hosting',
    state: 'in-force',
    epoch: 1,
    at: '2026-11-23T09:00:00.000Z',
  },
});
