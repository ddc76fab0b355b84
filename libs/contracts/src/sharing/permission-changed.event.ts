import { Type } from 'typebox';
import { PURPOSE_NAMES } from '../catalogue.js';
import { defineEvent } from '../event.js';
import { Instant, Slug, Uuid, Version } from '../fields.js';
import { defineTopic } from '../topic.js';

export const sharingPermissions = defineTopic({ name: 'sharing.permissions.v1', kind: 'state', partitions: 6 });

/** A permission as it stands now (P8). `revoked` is an end state and is never tombstoned. */
export const permissionChanged = defineEvent({
  type: 'sharing.permission-changed.v1',
  topic: sharingPermissions,
  producer: 'partner-sharing',
  classification: 'internal',
  personal: true,
  schema: Type.Object(
    {
      customer: Uuid,
      recipient: Slug,
      purpose: Type.Enum(PURPOSE_NAMES),
      state: Type.Enum(['granted', 'revoked']),
      version: Version,
      statementVersion: Version,
      at: Instant,
    },
    { additionalProperties: false },
  ),
  key: (data) => `${data.customer}/${data.recipient}/${data.purpose}`,
  example: {
    customer: '5f0c5a0e-6ff2-4d1e-8d0e-2f1f3c1a9b10',
    recipient: 'northern-hosting',
    purpose: 'recommendation',
    state: 'granted',
    version: 1,
    statementVersion: 1,
    at: '2026-11-23T09:00:00.000Z',
  },
});
