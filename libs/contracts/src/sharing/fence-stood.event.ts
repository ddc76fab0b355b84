import { Type } from 'typebox';
import { defineEvent } from '../event.js';
import { Instant, Uuid } from '../fields.js';
import { sharingPermissions } from './permission-changed.event.js';

/**
 * Nothing that was decided before this command, of another service, can get onto a feed any more (G2). So for all commands of
 * the customer before it: of those the topic may have lost what was told.
 */
export const fenceStood = defineEvent({
  type: 'sharing.fence-stood.v1',
  topic: sharingPermissions,
  producer: 'partner-sharing',
  classification: 'internal',
  personal: true,
  schema: Type.Object({ customer: Uuid, command: Uuid, at: Instant }, { additionalProperties: false }),
  key: (data) => `${data.customer}/fence`,
  example: {
    customer: '5f0c5a0e-6ff2-4d1e-8d0e-2f1f3c1a9b10',
    command: '0d8a1f0e-1a55-4f0e-9f2a-6a1c9f6b7c11',
    at: '2026-11-23T09:00:01.000Z',
  },
});
