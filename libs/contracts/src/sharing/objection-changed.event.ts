import { Type } from 'typebox';
import { PURPOSE_NAMES } from '../catalogue.js';
import { defineEvent } from '../event.js';
import { Instant, Slug, Uuid, Version } from '../fields.js';
import { sharingPermissions } from './permission-changed.event.js';

/** An objection to cooperation as it stands now (P13). Never tombstoned. */
export const objectionChanged = defineEvent({
  type: 'sharing.objection-changed.v1',
  topic: sharingPermissions,
  producer: 'partner-sharing',
  classification: 'internal',
  personal: true,
  schema: Type.Object(
    {
      customer: Uuid,
      recipient: Slug,
      purpose: Type.Enum(PURPOSE_NAMES),
      state: Type.Enum(['standing', 'withdrawn']),
      version: Version,
      at: Instant,
    },
    { additionalProperties: false },
  ),
  key: (data) => `${data.customer}/${data.recipient}/${data.purpose}/objection`,
  example: {
    customer: '5f0c5a0e-6ff2-4d1e-8d0e-2f1f3c1a9b10',
    recipient: 'northern-hosting',
    purpose: 'service-delivery',
    state: 'standing',
    version: 1,
    at: '2026-11-23T09:00:00.000Z',
  },
});
