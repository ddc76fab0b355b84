import { randomUUID } from 'node:crypto';
import {
  customersProfiles,
  duties,
  noticeDue,
  notificationsMailings,
  replies,
  withdrawalConfirmed,
  withdrawalDue,
  type DataOf,
} from '@castiron/contracts';
import { eventually } from '@castiron/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMPANY, valuesOf, type Castiron, type FeedMessage, type Partner } from '../support/castiron.js';
import { mailsTo } from '../support/mails.js';
import { startOwnCastiron, type OwnCastiron } from '../support/own-castiron.js';
import { eventsOn, recordsOn } from '../support/records.js';

const within = { within: 60_000 };
/** A mail whose worker died in the middle of it is taken up by another after a minute. */
const withinALease = { within: 100_000 };
const SERVICES = ['customer-profiles', 'partner-sharing', 'notifications'] as const;
/** Customers at a time, and acknowledged acts between one crash and the next. */
const USERS = 4;
const BETWEEN_CRASHES = 10;
/** Welcome, sharing started, sharing ended, sharing started again. */
const NOTICES = 4;

let own: OwnCastiron;
let castiron: Castiron;
let partner: Partner;
beforeAll(async () => {
  own = await startOwnCastiron();
  ({ castiron } = own);
  partner = await castiron.registerPartner();
  await castiron.agree(partner, [{ purpose: 'recommendation', attributes: ['companyName'] }]);
});
afterAll(() => own?.stop());

let acts = 0;
/** Goes on until it is answered well, as whoever was cut off does. */
async function persistently<T>(act: () => Promise<T>): Promise<T> {
  const result = await eventually(act, within);
  acts += 1;
  return result;
}

async function quiet(customer: string): Promise<void> {
  for (const recipient of [partner.slug, 'notifications'])
    await eventually(() => castiron.settled(customer, recipient), within);
}

const noticesTo = async (email: string) => new Set((await mailsTo(castiron, email)).map(({ id }) => id));

/** A customer who does everything that there is an event for, and whose last name is acknowledged as `<email> 4`. */
async function live(): Promise<string> {
  const email = `${randomUUID()}@acorn.example`;
  const key = randomUUID();
  const customer = await persistently(() => castiron.register('service-order', { ...COMPANY, email }, key));
  await persistently(() => castiron.permit(customer, partner.slug, 'recommendation'));
  await quiet(customer);
  for (const n of [1, 2, 3]) await persistently(() => castiron.change(customer, { companyName: `${email} ${n}` }));
  await quiet(customer);
  await persistently(() => castiron.revoke(customer, partner.slug, 'recommendation'));
  await quiet(customer);
  await persistently(() => castiron.permit(customer, partner.slug, 'recommendation'));
  await quiet(customer);
  await eventually(async () => expect((await noticesTo(email)).size).toBe(NOTICES), withinALease);
  await persistently(() => castiron.change(customer, { companyName: `${email} 4`, email: null }));
  await quiet(customer);
  return email;
}

/** Everything that happens from now on, one customer after the other, until it is ended. */
function load(): { end(): Promise<string[]> } {
  let ended = false;
  const users = Array.from({ length: USERS }, async () => {
    const lived: string[] = [];
    do lived.push(await live());
    while (!ended);
    return lived;
  });
  return {
    end: async () => {
      ended = true;
      return (await Promise.all(users)).flat();
    },
  };
}

type Due = DataOf<typeof withdrawalDue>;
type Confirmed = DataOf<typeof withdrawalConfirmed>;

const subjectsOf = (feed: readonly FeedMessage[], email: string) =>
  new Set(feed.filter((message) => valuesOf(message)['companyName']?.startsWith(email)).map(({ subject }) => subject));

/** What must be so of each customer, once nothing is on its way any more. */
async function expectOneEffectOfEach(emails: readonly string[], crashes: number): Promise<void> {
  const feed = await partner.read();
  const due = await eventsOn<Due>(castiron, duties.of(partner.slug).name, withdrawalDue);
  for (const email of emails) {
    const [subject, ...others] = subjectsOf(feed, email);
    expect(others).toEqual([]);
    const records = feed.filter((message) => message.subject === subject);
    // In order, none twice, and the last word is the last one that was acknowledged.
    const versions = records.map(({ record }) => record?.version ?? 0);
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
    expect(valuesOf(records.at(-1))).toEqual({ companyName: `${email} 4` });
    expect(due.filter((duty) => duty.subject === subject)).toHaveLength(1);
    const mails = await mailsTo(castiron, email);
    expect(new Set(mails.map(({ id }) => id)).size).toBe(NOTICES);
    // A worker that dies between sending and noting it sends once more, the same mail.
    expect(mails.length).toBeLessThanOrEqual(NOTICES + crashes);
  }
  // Of each withdrawal one confirmation, by the service that it was due at.
  const owed = await eventsOn<Due>(castiron, duties.of('notifications').name, withdrawalDue);
  const confirmed = await eventsOn<Confirmed>(castiron, replies.of('notifications').name, withdrawalConfirmed);
  expect(owed.length).toBe(emails.length);
  expect(confirmed.map(({ obligation }) => obligation).sort()).toEqual(owed.map(({ obligation }) => obligation).sort());
  const notices = await eventsOn<DataOf<typeof noticeDue>>(castiron, duties.of('notifications').name, noticeDue);
  expect(notices).toHaveLength(NOTICES * emails.length);
}

/** How many messages of a topic a service has been through since it started. */
async function takenIn(service: string, topic: string): Promise<number> {
  const metrics = await (await fetch(`${castiron.endpoints.services[service]?.url}/metrics`)).text();
  return Number(
    new RegExp(`^castiron_inbox_messages_total{topic="${topic}"[^}]*} (\\d+)`, 'm').exec(metrics)?.[1] ?? 0,
  );
}

/** Sends what stands on a topic once more, as a sender does that was never told that it arrived; waits until it was read. */
async function sendAgain(topic: string, reader: string): Promise<void> {
  const before = await takenIn(reader, topic);
  const records = await recordsOn(castiron, topic);
  const producer = castiron.kafka(castiron.endpoints.kafka.principals['admin']!).producer();
  const text = (part: Buffer | string | undefined) => String(part ?? '');
  await producer.send(
    records.map(({ key, value, headers }) => ({
      topic,
      key: text(key ?? undefined),
      value: value?.toString() ?? null,
      headers: Object.fromEntries(Object.entries(headers).map(([name, header]) => [name, String(header)])),
    })),
  );
  await producer.close();
  await eventually(async () => expect(await takenIn(reader, topic)).toBe(before + records.length), within);
}

describe('G5: every event has its effect exactly once, in order per key', () => {
  let emails: string[] = [];

  it('although each service is killed under load', async () => {
    const users = load();
    let crashes = 0;
    for (const service of SERVICES) {
      const before = acts;
      await eventually(() => expect(acts).toBeGreaterThanOrEqual(before + BETWEEN_CRASHES), within);
      await own.crash(service);
      crashes += 1;
    }
    emails = await users.end();
    expect(emails.length).toBeGreaterThanOrEqual(USERS);
    await eventually(() => expectOneEffectOfEach(emails, crashes), within);
  }, 360_000);

  it('although all of it is delivered once more', async () => {
    await sendAgain(customersProfiles.name, 'partner-sharing');
    await sendAgain(notificationsMailings.name, 'partner-sharing');
    await sendAgain(replies.of('notifications').name, 'partner-sharing');
    await sendAgain(duties.of('notifications').name, 'notifications');
    // What came of it, had something, would be before this customer's.
    emails.push(await live());
    await eventually(() => expectOneEffectOfEach(emails, SERVICES.length), within);
  }, 240_000);
});
