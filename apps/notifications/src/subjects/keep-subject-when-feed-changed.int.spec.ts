import { randomUUID } from 'node:crypto';
import { encodeTombstone, feedRecord, newEventId, type WireMessage } from '@castiron/contracts';
import { outboxMigrations } from '@castiron/outbox';
import { freshDatabase } from '@castiron/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { databaseMigrations } from '../database.js';
import { SLUG } from '../publications.js';
import { given, MailRig, newAddress } from '../testing/mail.rig.js';

let rig: MailRig;
beforeAll(async () => {
  rig = new MailRig(await freshDatabase([...databaseMigrations, ...outboxMigrations]), inject('stack').mail);
});
afterAll(() => rig.database.destroy());

const email = given(newAddress());
/** What a feed may say of one subject, in one fetch. */
const STORIES: Record<string, (subject: string, cancelledAt: Date) => WireMessage[]> = {
  'several records, a late one among them': (subject) => [
    rig.record(subject, 2, { email: given(newAddress()) }, 'allowed'),
    rig.record(subject, 1, { email: given(newAddress()) }, 'stopped'),
    rig.record(subject, 3, { email }, 'allowed'),
  ],
  'a disputed value, which stays as it was': (subject) => [
    rig.record(subject, 2, { email }, 'allowed'),
    rig.record(subject, 3, { email: { held: 'disputed', purposes: email.purposes, opening: 'AA' } }, 'allowed'),
  ],
  'the end of all, and a record before it': (subject) => [
    rig.record(subject, 2, { email }, 'allowed'),
    encodeTombstone(feedRecord, subject, { id: newEventId(), time: new Date() }, SLUG),
    rig.record(subject, 1, { email }, 'allowed'),
  ],
  'that mailings were stopped as the customer asked': (subject) => [rig.record(subject, 2, { email }, 'stopped')],
  'that mailings were stopped and are permitted anew': (subject, cancelledAt) => [
    rig.record(subject, 2, { email }, 'stopped', cancelledAt),
    rig.record(subject, 3, { email }, 'allowed', cancelledAt),
  ],
};

/** All that is known of a subject, less its id. */
async function stateOf(subject: string): Promise<unknown> {
  const [flags] = await rig.database.query<{ notices: boolean; mailings: boolean }[]>(
    'SELECT notice_address AS notices, mailing_address AS mailings FROM subjects WHERE subject = $1',
    [subject],
  );
  const copy = await rig.vault.load(rig.database.manager, subject);
  // One by one a notice may be queued before its address goes: whoever sends it finds none.
  const end = (status: string) => (status === 'queued' && flags?.notices === false ? 'no-address' : status);
  return {
    copy,
    flags,
    isCancelled: (await rig.cancelledAt(subject)) !== undefined,
    mails: (await rig.statusesOf(subject)).map(end),
  };
}

/** A subject with a notice that waits, and with a cancellation that its feed does not know of yet. */
async function newSubject(): Promise<string> {
  const subject = randomUUID();
  await rig.notice(subject);
  await rig.cancel(subject);
  return subject;
}

describe('what a feed says of subjects', () => {
  it.each(Object.entries(STORIES))('means the same in one batch as one by one: %s', async (_, story) => {
    const [single, batched, other] = [await newSubject(), await newSubject(), await newSubject()];
    const known = new Date();
    for (const message of story(single, known)) await rig.take(message);
    // Beside another subject, each message in turn.
    const others = story(other, known);
    await rig.take(...story(batched, known).flatMap((message, at) => [message, others[at] ?? message]));
    const state = await stateOf(single);
    expect(await stateOf(batched)).toEqual(state);
    expect(await stateOf(other)).toEqual(state);
  });
});
