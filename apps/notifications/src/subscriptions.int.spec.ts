import { randomUUID } from 'node:crypto';
import {
  duties,
  encodeEvent,
  newEventId,
  noticeDue,
  withdrawalConfirmed,
  withdrawalDue,
  type WireMessage,
} from '@castiron/contracts';
import { newKey } from '@castiron/encryption';
import { Inbox, inboxMigrations } from '@castiron/inbox';
import { connect } from '@castiron/kafka';
import { createLogger } from '@castiron/observability';
import { outboxMigrations } from '@castiron/outbox';
import { parkedSeal } from '@castiron/service';
import { eventually, freshDatabase, uniqueSlug } from '@castiron/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { databaseMigrations } from './database.js';
import { IGNORED, subscriptions } from './subscriptions.js';
import { given, MailRig, newAddress } from './testing/mail.rig.js';

const within = { within: 20_000 };
const OFFICER = 'officer-1';
const stack = inject('stack');
const { username = '', password = '' } = stack.kafka.principals['admin'] ?? {};
const kafka = connect({ brokers: [stack.kafka.bootstrap], clientId: 'spec', username, password });
const [admin, producer] = [kafka.admin(), kafka.producer()];

let rig: MailRig;
let slug: string;
let inbox: Inbox;
let subject: string;
const crashes: Error[] = [];

beforeAll(async () => {
  rig = new MailRig(await freshDatabase([...databaseMigrations, ...outboxMigrations, ...inboxMigrations]), stack.mail);
});
beforeEach(async () => {
  // Duties that no other spec writes.
  slug = uniqueSlug();
  await admin.createTopics([duties.of(slug)]);
  inbox = new Inbox({
    name: `spec-${slug}`,
    dataSource: rig.database,
    transactions: rig.transactions,
    kafka,
    topics: [duties.of(slug).name],
    subscriptions: subscriptions(rig.vault, () => undefined),
    ignored: IGNORED,
    seal: parkedSeal(newKey(), 'spec'),
    logger: createLogger('spec', 'silent'),
    onCrash: (error) => crashes.push(error),
  });
  await inbox.start();
  subject = randomUUID();
  await rig.feed(subject, 1, { email: given(newAddress()) });
});
afterEach(async () => {
  await inbox.stop();
  expect(crashes).toEqual([]);
});
afterAll(async () => {
  await Promise.all([producer.close(), admin.close(), rig.database.destroy()]);
});

const meta = () => ({ id: newEventId(), time: new Date() });
const notice = (): WireMessage =>
  encodeEvent(noticeDue, { ...noticeDue.example, notice: randomUUID(), subject }, meta(), slug);
/** As a later version may write it: nobody here knows what it says. */
const noticeOfAnotherShape = (): WireMessage => ({ ...notice(), value: JSON.stringify({ subject }) });

const reasons = async () => (await inbox.parked.list('parked', {}, { limit: 10 })).map(({ reason }) => reason);

/** Of the subject that the feed told of: all of it is to be deleted. @returns the obligation, once that is done */
async function withdraw(): Promise<string> {
  const obligation = randomUUID();
  const duty = { ...withdrawalDue.example, obligation, subject, version: 2, complete: true };
  await producer.send([encodeEvent(withdrawalDue, duty, meta(), slug)]);
  const keys = 'SELECT FROM subject_keys WHERE subject = $1';
  await eventually(async () => expect(await rig.database.query(keys, [subject])).toEqual([]), within);
  return obligation;
}

describe('where a notice is parked', () => {
  it('what is to be deleted is deleted at once, and confirmed', async () => {
    await producer.send([noticeOfAnotherShape()]);
    await eventually(async () => expect(await reasons()).toEqual(['unknown-shape']), within);
    const obligation = await withdraw();
    expect(await rig.published(withdrawalConfirmed, subject)).toMatchObject([{ obligation, version: 2 }]);
    expect(await reasons()).toEqual(['unknown-shape']);
  });

  it('and all of its subject withdrawn since, a replay discards it: nobody is written to', async () => {
    await producer.send([noticeOfAnotherShape(), notice()]);
    await eventually(async () => expect(await reasons()).toEqual(['unknown-shape', 'behind-parked']), within);
    await withdraw();
    await inbox.parked.discard({ reason: 'unknown-shape' }, false, 'of no use', OFFICER);
    const { messages } = await inbox.parked.replay({ reason: 'behind-parked' }, false, OFFICER);
    expect(messages).toMatchObject([{ outcome: 'discarded', because: 'subject-withdrawn' }]);
    expect(await rig.mailsOf(subject)).toEqual([]);
  });
});
