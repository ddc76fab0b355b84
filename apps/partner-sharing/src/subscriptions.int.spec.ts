import { randomUUID } from 'node:crypto';
import {
  belongsTo,
  encodeEvent,
  mailingCancelled,
  newEventId,
  notificationsMailings,
  resyncRequested,
  withdrawalConfirmed,
  type WireMessage,
} from '@castiron/contracts';
import { newKey } from '@castiron/encryption';
import { Inbox, inboxMigrations } from '@castiron/inbox';
import { connect } from '@castiron/kafka';
import { createLogger } from '@castiron/observability';
import { parkedSeal } from '@castiron/service';
import { eventually, freshDatabase, uniqueSlug } from '@castiron/testing';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { KeepProfileWhenProfileChanged } from './profiles/keep-profiles/keep-profile-when-profile-changed.handler.js';
import { repliesOf, subscriptions } from './subscriptions.js';
import { ACME, sharingMigrations, SharingRig } from './testing/sharing.rig.js';

const within = { within: 20_000 };
const broker = inject('stack').kafka;
const { username = '', password = '' } = broker.principals['admin'] ?? {};
const kafka = connect({ brokers: [broker.bootstrap], clientId: 'spec', username, password });
const producer = kafka.producer();

let rig: SharingRig;
let inbox: Inbox | undefined;
const crashes: Error[] = [];

beforeAll(async () => {
  rig = await SharingRig.started(
    await freshDatabase([...sharingMigrations, ...inboxMigrations]),
    broker,
    'subscriptions-spec',
  );
  await rig.registerNotifier();
});
afterEach(async () => {
  await inbox?.stop();
  expect(crashes).toEqual([]);
});
afterAll(async () => {
  await producer.close();
  await rig?.end();
});

/** Reads one topic as the service does; what other specs write to the others stays with them. */
async function read(topic: string): Promise<void> {
  const keepProfile = new KeepProfileWhenProfileChanged(rig.signals, () => undefined);
  inbox = new Inbox({
    name: `spec-${randomUUID()}`,
    dataSource: rig.database,
    transactions: rig.transactions,
    kafka,
    topics: [topic],
    subscriptions: subscriptions(keepProfile, rig.signals, () => undefined).filter(({ contract }) =>
      belongsTo(contract, topic),
    ),
    seal: parkedSeal(newKey(), 'spec'),
    logger: createLogger('spec', 'silent'),
    onCrash: (error) => crashes.push(error),
  });
  await inbox.start();
}

const reasons = async (topic: string) =>
  (await inbox?.parked.list('parked', { topic }, { limit: 100 }))?.map(({ reason }) => reason);
const meta = () => ({ id: newEventId(), time: new Date() });

describe('though an earlier message of its key is parked', () => {
  it('a cancellation of mailings ends the permission at once', async () => {
    const customer = randomUUID();
    await rig.profile(customer, 1, { email: 's@sub.example' }, 'subscription');
    const { id, subject } = (await rig.shareOf(customer, 'notifications'))!;
    const at = new Date();
    const cancelled = (): WireMessage => encodeEvent(mailingCancelled, { subject, at: at.toISOString() }, meta());
    const { name: topic } = notificationsMailings;
    await read(topic);
    // As a later version may write it: nobody here knows what it says.
    await producer.send([{ ...cancelled(), value: JSON.stringify({ subject }) }]);
    await eventually(async () => expect(await reasons(topic)).toContain('unknown-shape'), within);

    await producer.send([cancelled()]);
    const told = () =>
      rig.database.query<object[]>(
        `SELECT p.state, s.mailing_cancelled_at AS at FROM permissions p JOIN shares s USING (customer, recipient)
         WHERE s.id = $1 AND p.purpose = 'mailing'`,
        [id],
      );
    await eventually(async () => expect(await told()).toEqual([{ state: 'revoked', at }]), within);
    expect(await reasons(topic)).toContain('unknown-shape');
  });

  it('a confirmation settles its withdrawal at once, and the key goes from the feed', async () => {
    const [customer, partner] = [randomUUID(), uniqueSlug()];
    await rig.partner(partner, [{ purpose: 'recommendation', attributes: ['companyName'], ground: 'permission' }]);
    await rig.profile(customer, 1, ACME);
    await rig.permit(customer, partner);
    const settled = (version: number) =>
      eventually(async () => expect(await rig.versionOf(customer, partner)).toBe(version));
    await settled(1);
    await rig.revoke(customer, partner);
    await settled(2);
    const owed = () =>
      rig.database.query<{ id: string; subject: string; state: string }[]>(
        'SELECT id, subject, state FROM obligations WHERE recipient = $1',
        [partner],
      );
    const [{ id, subject } = { id: '', subject: '' }] = await owed();
    const confirmed = (obligation: string): WireMessage =>
      encodeEvent(
        withdrawalConfirmed,
        { obligation, subject, version: 2, at: new Date().toISOString() },
        meta(),
        partner,
      );
    const topic = repliesOf(partner);
    await read(topic);
    await producer.send([confirmed(randomUUID())]);
    await eventually(async () => expect(await reasons(topic)).toEqual(['foreign-or-unknown-obligation']), within);

    await producer.send([confirmed(id)]);
    await eventually(async () => expect(await owed()).toMatchObject([{ id, state: 'confirmed' }]), within);
    await settled(3);
    expect((await rig.feedOf(customer, partner)).at(-1)).toBeNull();
    expect(await reasons(topic)).toEqual(['foreign-or-unknown-obligation']);
  });

  it('a request for everything is followed at once', async () => {
    const partner = uniqueSlug();
    await rig.register({ slug: partner, name: 'Northern Hosting', kind: 'network-member' });
    const asked = (data: unknown = { at: new Date().toISOString() }): WireMessage => ({
      ...encodeEvent(resyncRequested, { at: new Date().toISOString() }, meta(), partner),
      value: JSON.stringify(data),
    });
    const topic = repliesOf(partner);
    await read(topic);
    await producer.send([asked({ subject: 'all of them' })]);
    await eventually(async () => expect(await reasons(topic)).toEqual(['unknown-shape']), within);

    await producer.send([asked()]);
    const due = () => rig.database.query<object[]>('SELECT FROM resyncs WHERE recipient = $1', [partner]);
    await eventually(async () => expect(await due()).toHaveLength(1), within);
    expect(await reasons(topic)).toEqual(['unknown-shape']);
  });
});
