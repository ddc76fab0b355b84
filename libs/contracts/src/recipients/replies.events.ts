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

/** The key of what is about no single subject. */
const ALL = '*';

/**
 * The recipient has lost its copy, or a part of it, and asks for the records of its feed anew: of one subject, or without
 * `subject` of all. Each is published again with its next version, as things stand then; in the background, some two hundred
 * a second. Nothing answers this but the feed.
 *
 * Asking more often does no harm, and no good: of everything, one resync begins in an hour at most, and so of a subject. What
 * is asked for sooner waits for its hour, once. Whoever asks for more than a thousand subjects in an hour, one by one, gets
 * everything.
 *
 * What is gone from the feed is not told of anew, unless it is asked for by its subject: read the feed from its beginning,
 * and delete what does not stand there.
 */
export const resyncRequested = defineEvent({
  type: 'replies.resync-requested.v1',
  topic: replies,
  producer: 'recipient',
  classification: 'internal',
  personal: true,
  schema: Type.Object({ subject: Type.Optional(Uuid), at: Instant }, { additionalProperties: false }),
  key: (data) => data.subject ?? ALL,
  example: { subject: '8d0e5a0e-6ff2-4d1e-8d0e-2f1f3c1a9b10', at: '2026-11-24T09:00:00.000Z' },
});
