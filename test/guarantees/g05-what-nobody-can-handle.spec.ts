import { randomUUID } from 'node:crypto';
import {
  customersProfiles,
  customersStatements,
  duties,
  encodeEvent,
  encodeTombstone,
  feedRecord,
  feeds,
  mailingCancelled,
  newEventId,
  noticeDue,
  notificationsMailings,
  profileChanged,
  replies,
  statementPublished,
  withdrawalConfirmed,
  withdrawalDue,
  type DataOf,
  type WireMessage,
} from '@castiron/contracts';
import { HOSTILE, type AnyMessage } from '@castiron/inbox/testing';
import { sendCompressed } from '@castiron/kafka/testing';
import { eventually } from '@castiron/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { Castiron, valuesOf, type FeedMessage, type FeedRecord, type Partner } from '../support/castiron.js';
import { mailsTo } from '../support/mails.js';
import { eventsOn, lastOnOwnFeed } from '../support/records.js';

const castiron = new Castiron();
const settings = {
  brokers: [castiron.endpoints.kafka.bootstrap],
  clientId: 'test',
  ...castiron.endpoints.kafka.principals['admin']!,
};
const within = { within: 60_000 };
/** Versions of the statement that nobody published: one arrives, and one must not. */
const [STATEMENT, NO_STATEMENT] = [1_000, 2_000];
const meta = () => ({ id: newEventId(), time: new Date() });

const ALL = Object.keys(HOSTILE);
/** What others write the broker unpacks and weighs itself: what is too large never gets onto the topic. */
const ON_REPLIES = ALL.filter((kind) => HOSTILE[kind]?.reason !== 'oversized' || kind.includes('too many'));
/** On a topic of states a record without a value deletes, and one without a key the broker refuses. */
const ON_STATES = ALL.filter((kind) => !/^without a (key|value)/.test(kind));

/** Our contracts know every field, so whatever is in another one, it is refused for the field already. */
const reasonsOf = (kinds: readonly string[]) =>
  kinds.map((kind) => (kind.includes('a field') ? 'unknown-shape' : HOSTILE[kind]?.reason)).sort();

const isLarge = ({ key, value, headers }: AnyMessage): boolean =>
  (key?.length ?? 0) + (value?.length ?? 0) + JSON.stringify(headers).length > 1_048_576;

/** What would make a whole batch too large, or one that is not packed. */
const goesAlone = (message: AnyMessage): boolean => isLarge(message) || Object.values(message.headers).includes(null);

/** Sends the hostile kinds of a message, and a good one of the same topic right behind them. */
async function sendAmong(kinds: readonly string[], model: WireMessage, good: WireMessage): Promise<void> {
  const hostile = kinds.map((kind): AnyMessage => ({ ...model, ...HOSTILE[kind]?.of(model) }));
  for (const message of hostile.filter(goesAlone)) await sendCompressed(settings, 'gzip', [message]);
  await sendCompressed(settings, 'lz4', [...hostile.filter((message) => !goesAlone(message)), good]);
}

async function reasonsAt(service: string, topic: string): Promise<string[]> {
  const path = `/parked-messages?topic=${topic}&limit=500`;
  const { body } = await castiron.call(service, 'GET', path, { as: ['privacy-officer', 'officer'] });
  return (body['messages'] as { reason: string }[]).map(({ reason }) => reason).sort();
}

const recordOf = (feed: readonly FeedMessage[], companyName: string) =>
  feed.find((message) => valuesOf(message)['companyName'] === companyName);

/** A customer whose name the partner has, under an id of its own. */
async function shareWith(partner: Partner): Promise<{ customer: string; subject: string }> {
  const companyName = `Company ${randomUUID()}`;
  const customer = await castiron.registerCompany({ companyName });
  await castiron.permit(customer, partner.slug, 'recommendation');
  const feed = await partner.readUntil((messages) => expect(recordOf(messages, companyName)).toBeDefined());
  return { customer, subject: recordOf(feed, companyName)?.subject ?? '' };
}

async function dutyOf(partner: Partner, subject: string): Promise<DataOf<typeof withdrawalDue>> {
  return eventually(async () => {
    const due = await eventsOn<DataOf<typeof withdrawalDue>>(castiron, duties.of(partner.slug).name, withdrawalDue);
    const own = due.find((duty) => duty.subject === subject);
    if (own === undefined) throw new Error('nothing is due yet');
    return own;
  }, within);
}

/** The feed of notifications says so of the subscriber with this address; the last word of it. */
async function ownRecordOf(email: string): Promise<FeedRecord> {
  const last = (await lastOnOwnFeed(castiron))(email);
  if (last === undefined) throw new Error('not on the feed yet');
  return last;
}

/** Only a version that arrived can be permitted under. */
const permitUnder = (statementVersion: number, customer: string, slug: string) =>
  castiron.call('partner-sharing', 'PUT', `/customers/${customer}/permissions/${slug}/recommendation`, {
    as: ['customer', customer],
    body: { how: 'portal', givenAt: new Date().toISOString(), statementVersion },
  });

describe('G5: a message that nobody can handle', () => {
  let partner: Partner;
  beforeAll(async () => {
    partner = await castiron.registerPartner();
    await castiron.agree(partner, [{ purpose: 'recommendation', attributes: ['companyName'] }]);
  });

  it('of every kind, on every topic, is parked within a minute while its neighbours pass', async () => {
    const { customer, subject: owing } = await shareWith(partner);
    await castiron.revoke(customer, partner.slug, 'recommendation');
    const { obligation, version } = await dutyOf(partner, owing);
    const email = `hostile-${randomUUID()}@acorn.example`;
    await castiron.register('subscription', { email });
    const { subject } = await eventually(() => ownRecordOf(email), within);
    await eventually(async () => expect(await mailsTo(castiron, email)).toHaveLength(1), within);

    const [nobody, at] = [randomUUID(), new Date().toISOString()];
    const { slug } = partner;
    await sendAmong(
      ON_REPLIES,
      encodeEvent(withdrawalConfirmed, { ...withdrawalConfirmed.example, subject: nobody }, meta(), slug),
      encodeEvent(withdrawalConfirmed, { obligation, subject: owing, version, at }, meta(), slug),
    );
    const notice = { notice: randomUUID(), subject, kind: 'sharing-started', about: 'A Neighbour' } as const;
    await sendAmong(
      ALL,
      encodeEvent(noticeDue, { ...noticeDue.example, subject: nobody }, meta(), 'notifications'),
      encodeEvent(noticeDue, notice, meta(), 'notifications'),
    );
    await sendAmong(
      ALL,
      encodeEvent(mailingCancelled, { subject: nobody, at }, meta()),
      encodeEvent(mailingCancelled, { subject, at }, meta()),
    );
    // Under another key, for a later record of theirs would settle them all.
    await sendAmong(
      ON_STATES,
      encodeEvent(profileChanged, { ...profileChanged.example, customer: nobody }, meta()),
      encodeTombstone(profileChanged, randomUUID(), meta()),
    );
    await sendAmong(
      ON_STATES,
      encodeEvent(statementPublished, { ...statementPublished.example, version: NO_STATEMENT }, meta()),
      encodeEvent(statementPublished, { ...statementPublished.example, version: STATEMENT }, meta()),
    );
    await sendAmong(
      ON_STATES,
      encodeEvent(feedRecord, { ...feedRecord.example, subject: nobody }, meta(), 'notifications'),
      encodeTombstone(feedRecord, randomUUID(), meta(), 'notifications'),
    );
    const arrived = shareWith(partner);
    const late = `late-${email}`;
    await castiron.register('subscription', { email: late });

    await eventually(async () => {
      expect(await reasonsAt('partner-sharing', replies.of(slug).name)).toEqual(reasonsOf(ON_REPLIES));
      expect(await reasonsAt('partner-sharing', notificationsMailings.name)).toEqual(reasonsOf(ALL));
      expect(await reasonsAt('partner-sharing', customersProfiles.name)).toEqual(reasonsOf(ON_STATES));
      expect(await reasonsAt('partner-sharing', customersStatements.name)).toEqual(reasonsOf(ON_STATES));
      expect(await reasonsAt('notifications', feeds.of('notifications').name)).toEqual(reasonsOf(ON_STATES));
      expect(await reasonsAt('notifications', duties.of('notifications').name)).toEqual(reasonsOf(ALL));
      // The reply ends the key, the notice is a mail, the cancellation stops mailings, a record makes somebody known.
      expect((await partner.read()).findLast((message) => message.subject === owing)?.record).toBeNull();
      expect((await mailsTo(castiron, email)).filter(({ text }) => text.includes('A Neighbour'))).toHaveLength(1);
      expect(await ownRecordOf(email)).toMatchObject({ mailing: 'stopped' });
      expect(await mailsTo(castiron, late)).toHaveLength(1);
    }, within);
    const known = await arrived;
    await eventually(
      async () => expect(await permitUnder(STATEMENT, known.customer, slug)).toMatchObject({ status: 200 }),
      within,
    );
    expect(await permitUnder(STATEMENT + 1, known.customer, slug)).toMatchObject({
      body: { code: 'unknown-statement' },
    });
  }, 150_000);
});
