import { Type } from 'typebox';
import { ATTRIBUTE_NAMES, PURPOSE_NAMES } from '../catalogue.js';
import { defineEvent } from '../event.js';
import { Instant, Uuid, Version } from '../fields.js';
import { defineTopicFamily } from '../topic.js';

/** What a recipient must do or know. Never an attribute's value. */
export const duties = defineTopicFamily({ prefix: 'duties', kind: 'events', partitions: 2 });

/**
 * The recipient must delete the named attributes of this subject, or all of it, stop using others for the purposes that
 * ended, and confirm.
 */
export const withdrawalDue = defineEvent({
  type: 'duties.withdrawal-due.v1',
  topic: duties,
  producer: 'partner-sharing',
  classification: 'internal',
  personal: true,
  schema: Type.Object(
    {
      obligation: Uuid,
      subject: Uuid,
      /** The version of the feed's record that withdraws. */
      version: Version,
      /** True: nothing may be kept about the subject. */
      complete: Type.Boolean(),
      attributes: Type.Array(Type.Enum(ATTRIBUTE_NAMES)),
      /** What stays for another purpose, and must no longer be used for this one. */
      purposes: Type.Optional(
        Type.Array(
          Type.Object(
            { purpose: Type.Enum(PURPOSE_NAMES), attributes: Type.Array(Type.Enum(ATTRIBUTE_NAMES), { minItems: 1 }) },
            { additionalProperties: false },
          ),
        ),
      ),
      dueBy: Instant,
    },
    { additionalProperties: false },
  ),
  key: (data) => data.subject,
  example: {
    obligation: '0193566f-8a3c-7cc1-9d3f-0242ac120002',
    subject: '8d0e5a0e-6ff2-4d1e-8d0e-2f1f3c1a9b10',
    version: 3,
    complete: true,
    attributes: ['companyName'],
    dueBy: '2026-12-23T09:00:00.000Z',
  },
});

/** The recipient's agreement entered into force or ended. */
export const agreementNotice = defineEvent({
  type: 'duties.agreement-notice.v1',
  topic: duties,
  producer: 'partner-sharing',
  classification: 'internal',
  personal: false,
  schema: Type.Object(
    { agreement: Uuid, state: Type.Enum(['in-force', 'terminated']), at: Instant },
    { additionalProperties: false },
  ),
  key: (data) => data.agreement,
  example: { agreement: '0d9a41f7-35d5-4f5c-9a4f-0f7a5e0d6f01', state: 'in-force', at: '2026-11-23T09:00:00.000Z' },
});

export const NOTICE_KINDS = ['welcome', 'sharing-started', 'sharing-ended'] as const;
export type NoticeKind = (typeof NOTICE_KINDS)[number];

/** notifications must tell a subject something. `about` is the other recipient's public name. */
export const noticeDue = defineEvent({
  type: 'duties.notice-due.v1',
  topic: duties,
  producer: 'partner-sharing',
  classification: 'internal',
  personal: true,
  schema: Type.Object(
    {
      notice: Uuid,
      subject: Uuid,
      kind: Type.Enum([...NOTICE_KINDS]),
      about: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    },
    { additionalProperties: false },
  ),
  key: (data) => data.subject,
  example: {
    notice: '0193566f-8a3c-7cc1-9d3f-0242ac120002',
    subject: '8d0e5a0e-6ff2-4d1e-8d0e-2f1f3c1a9b10',
    kind: 'sharing-started',
    about: 'Northern Hosting',
  },
});
