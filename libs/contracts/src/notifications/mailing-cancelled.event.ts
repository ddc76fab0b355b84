import { Type } from 'typebox';
import { defineEvent } from '../event.js';
import { Instant, Uuid } from '../fields.js';
import { defineTopic } from '../topic.js';

export const notificationsMailings = defineTopic({ name: 'notifications.mailings.v1', kind: 'events', partitions: 3 });

/** A customer cancelled all mailings (P16). `subject` is the id that notifications knows; partner-sharing resolves it. */
export const mailingCancelled = defineEvent({
  type: 'notifications.mailing-cancelled.v1',
  topic: notificationsMailings,
  producer: 'notifications',
  classification: 'internal',
  personal: true,
  schema: Type.Object({ subject: Uuid, at: Instant }, { additionalProperties: false }),
  key: (data) => data.subject,
  example: { subject: '8d0e5a0e-6ff2-4d1e-8d0e-2f1f3c1a9b10', at: '2026-11-24T09:00:00.000Z' },
});
