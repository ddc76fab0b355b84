import { Type } from 'typebox';
import { defineEvent } from '../event.js';
import { Instant, Uuid, Version } from '../fields.js';
import { defineTopicFamily } from '../topic.js';

/**
 * What recipients answer: untrusted, and only ever about the recipient whose topic it stands on. Their ids are UUIDv7 made
 * with the reply, no older than 30 days: one that is older than 37, or more than a day ahead, is handled only where
 * somebody says so.
 */
export const replies = defineTopicFamily({ prefix: 'replies', kind: 'events', partitions: 2, untrusted: true });

/** The recipient deleted what a withdrawal named. */
export const withdrawalConfirmed = defineEvent({
  type: 'replies.withdrawal-confirmed.v1',
  topic: replies,
  producer: 'recipient',
  classification: 'internal',
  personal: true,
  schema: Type.Object(
    { obligation: Uuid, subject: Uuid, version: Version, at: Instant },
    { additionalProperties: false },
  ),
  key: (data) => data.subject,
  example: {
    obligation: '0193566f-8a3c-7cc1-9d3f-0242ac120002',
    subject: '8d0e5a0e-6ff2-4d1e-8d0e-2f1f3c1a9b10',
    version: 3,
    at: '2026-11-24T09:00:00.000Z',
  },
});
