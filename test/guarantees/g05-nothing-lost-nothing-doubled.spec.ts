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
import type { PlacedMessage } from '@castiron/kafka';
import { missingAt } from '@castiron/local-stack';
import { eventually } from '@castiron/testing';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { COMPANY, valuesOf, type Castiron, type FeedMessage, type Partner } from '../support/castiron.js';
import { mailsTo } from '../support/mails.js';
import { startOwnCastiron, type OwnCastiron } from '../support/own-castiron.js';
import { cancel, subscribe } from '../support/readers.js';
import { eventsOn, lastOnOwnFeed, recordsOn } from '../support/records.js';
import { TakingBack } from '../support/taking-back.js';

const within = { within: 60_000 };
/** A mail whose worker died in the middle of it is taken up by another after a minute, and that one may be stopped too. */
const withinLeases = { within: 190_000 };
const SERVICES = ['customer-profiles', 'partner-sharing', 'notifications'] as const;
/** Customers at a time, and acknowledged acts between one crash and the next. */
const USERS = 4;
const BETWEEN_CRASHES = 10;
/** Longer than a connection, or a lease, lasts without an answer. */
const STANDSTILL_MS = 11_000;
const A_MINUTE_MS = 60_000;
/** Welcome, sharing started, sharing ended, sharing started again. */
const NOTICES = 4;
/** Events that may wait in an outbox where it is to be full. */
const FEW = 10;

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
beforeEach(({ onTestFailed }) => {
  onTestFailed(async () => (await own.lastWordsOfTheGone()).forEach((words) => process.stderr.write(`${words}\n`)));
});

/** What was claimed when its worker was killed: nobody knows whether the server has it, so it goes once more. */
const inDoubt = new Set<string>();

/** To be called while the service is gone. */
async function lookForMailsInDoubt(): Promise<void> {
  const database = new pg.Client({ connectionString: castiron.endpoints.postgres.notifications });
  await database.connect();
  // What it asked for last may still be carried out.
  await eventually(async () => {
    const others = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`;
    expect((await database.query(others)).rows).toEqual([]);
  });
  const { rows } = await database.query<{ id: string }>(`SELECT id FROM mails WHERE status = 'sending'`);
  for (const { id } of rows) inDoubt.add(id);
  await database.end();
}

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
  await eventually(async () => expect((await noticesTo(email)).size).toBe(NOTICES), withinLeases);
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

/** What must be so of each customer, and of each who cancelled mailings, once nothing is on its way any more. */
async function expectOneEffectOfEach(emails: readonly string[], cancelled: readonly string[] = []): Promise<void> {
  const [lastOf, feed, due, owed, confirmed, notices] = await Promise.all([
    lastOnOwnFeed(castiron),
    partner.read(),
    eventsOn<Due>(castiron, duties.of(partner.slug).name, withdrawalDue),
    eventsOn<Due>(castiron, duties.of('notifications').name, withdrawalDue),
    eventsOn<Confirmed>(castiron, replies.of('notifications').name, withdrawalConfirmed),
    eventsOn<DataOf<typeof noticeDue>>(castiron, duties.of('notifications').name, noticeDue),
  ]);
  for (const email of emails) {
    const [subject, ...others] = subjectsOf(feed, email);
    expect(others).toEqual([]);
    const records = feed.filter((message) => message.subject === subject);
    // In order, none twice, and the last word is the last one that was acknowledged.
    const versions = records.map(({ record }) => record?.version ?? 0);
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
    expect(valuesOf(records.at(-1))).toEqual({ companyName: `${email} 4` });
    expect(due.filter((duty) => duty.subject === subject)).toHaveLength(1);
    const ids = (await mailsTo(castiron, email)).map(({ id }) => id.replace(/^<(.+)@.+>$/, '$1'));
    expect(new Set(ids).size).toBe(NOTICES);
    const again = ids.filter((id, at) => ids.indexOf(id) < at);
    // The one thing that may come twice: what its worker was killed with, and that no more than twice.
    expect(again.filter((id, at) => !inDoubt.has(id) || again.indexOf(id) < at)).toEqual([]);
  }
  // Of each withdrawal one confirmation, by the service that it was due at.
  const cancellers = cancelled.map((email) => lastOf(email)?.subject);
  const leaving = owed.filter(({ subject }) => !cancellers.includes(subject));
  expect([leaving.length, owed.length]).toEqual([emails.length, emails.length + cancelled.length]);
  expect(confirmed.map(({ obligation }) => obligation).sort()).toEqual(owed.map(({ obligation }) => obligation).sort());
  const leavers = new Set(leaving.map(({ subject }) => subject));
  expect(notices.filter(({ subject }) => leavers.has(subject))).toHaveLength(NOTICES * emails.length);
}

/** A figure of a service's own metrics, summed over its labels; 0 where it has none yet. */
async function figure(service: string, name: string): Promise<number> {
  const metrics = await (await fetch(`${castiron.endpoints.services[service]?.url}/metrics`)).text();
  const lines = metrics.matchAll(new RegExp(`^${name}[,}].* ([\\d.e+]+)$`, 'gm'));
  return [...lines].reduce((sum, [, value]) => sum + Number(value), 0);
}

/** How many messages of a topic a service has been through since it started. */
const takenIn = (service: string, topic: string) => figure(service, `castiron_inbox_messages_total{topic="${topic}"`);
const unsettledAt = (service: string) => figure(service, 'castiron_outbox_unsettled{service="[^"]*"');

interface Readiness {
  readonly ok: boolean;
  readonly background: { readonly inbox?: string };
}

async function readinessOf(service: string): Promise<Readiness> {
  return (await (await fetch(`${castiron.endpoints.services[service]?.url}/health/ready`)).json()) as Readiness;
}

/** A customer who shares the company's name with the partner, and changes it. */
class Changing {
  private n = 0;
  private constructor(
    readonly customer: string,
    private readonly mark: string,
  ) {}

  static async start(): Promise<Changing> {
    const mark = randomUUID();
    const customer = await castiron.registerCompany({ companyName: `${mark} 0` });
    await castiron.permit(customer, partner.slug, 'recommendation');
    await quiet(customer);
    return new Changing(customer, mark);
  }

  async change(): Promise<void> {
    await castiron.change(this.customer, { companyName: `${this.mark} ${(this.n += 1)}` });
  }

  /** On the topic each change in order, and on the feed the last one. */
  expectAllIn(profiles: readonly PlacedMessage[], feed: readonly FeedMessage[]): void {
    const own = profiles.filter(({ key }) => String(key) === this.customer);
    // What was sent and not acknowledged may stand there twice.
    const versions = own.map(({ value }) => (JSON.parse(String(value)) as { version: number }).version);
    expect([...new Set(versions)]).toEqual(Array.from({ length: this.n + 1 }, (_, at) => at + 1));
    const records = feed.filter((message) => valuesOf(message)['companyName']?.startsWith(this.mark));
    const told = records.map(({ record }) => record?.version ?? 0);
    expect(told).toEqual([...new Set(told)].sort((a, b) => a - b));
    expect(valuesOf(records.at(-1))).toEqual({ companyName: `${this.mark} ${this.n}` });
  }
}

/** Whether notifications may mail to who has this address. */
const mailingTo = async (email: string) => (await lastOnOwnFeed(castiron))(email)?.mailing;

const A_SEND = 100;

/** Sends what stands on a topic once more, as a sender does that was never told that it arrived; waits until it was read. */
async function sendAgain(topic: string, reader: string): Promise<void> {
  const before = await takenIn(reader, topic);
  const records = await recordsOn(castiron, topic);
  expect(records).not.toEqual([]);
  const producer = castiron.kafka(castiron.endpoints.kafka.principals['admin']!).producer();
  const text = (part: Buffer | string | undefined) => String(part ?? '');
  const messages = records.map(({ key, value, headers }) => ({
    topic,
    key: text(key ?? undefined),
    value: value?.toString() ?? null,
    headers: Object.fromEntries(Object.entries(headers).map(([name, header]) => [name, String(header)])),
  }));
  // All of one partition in one send would be larger than a message may be.
  for (let at = 0; at < messages.length; at += A_SEND) await producer.send(messages.slice(at, at + A_SEND));
  await producer.close();
  // More where a reader takes in anew what it had not committed yet.
  await eventually(
    async () => expect(await takenIn(reader, topic)).toBeGreaterThanOrEqual(before + records.length),
    within,
  );
}

describe('G5: every event has its effect exactly once, in order per key', () => {
  let emails: string[] = [];
  let users: ReturnType<typeof load>;
  beforeAll(() => void (users = load()));
  const underLoad = async (): Promise<void> => {
    const before = acts;
    await eventually(() => expect(acts).toBeGreaterThanOrEqual(before + BETWEEN_CRASHES), within);
  };

  it('although each service is killed under load', async () => {
    for (const service of SERVICES) {
      await underLoad();
      await own.crash(service, service === 'notifications' ? lookForMailsInDoubt : undefined);
    }
  }, 240_000);

  it('although all of them are asked to end at once, which each does in order and within 10 s', async () => {
    await underLoad();
    for (const { ms, lastWords } of await Promise.all(SERVICES.map((service) => own.askToEnd(service)))) {
      expect(lastWords).toContain('exit code 0');
      expect(ms).toBeLessThan(10_000);
    }
  }, 120_000);

  it('although PostgreSQL stands still: each request is answered 503 within 5 s, and afterwards as ever', async () => {
    await underLoad();
    const pids = own.pids();
    const customer = randomUUID();
    const requests = [
      () => castiron.call('customer-profiles', 'GET', `/customers/${customer}`, { as: ['customer', customer] }),
      () =>
        castiron.call('customer-profiles', 'POST', '/registrations/service-order', {
          as: ['service', 'portal'],
          body: { attributes: COMPANY },
        }),
      () => castiron.grant(customer, partner.slug, 'recommendation'),
      () => castiron.call('notifications', 'GET', '/parked-messages', { as: ['privacy-officer', 'officer'] }),
    ];
    const { postgres } = own.parts;
    const since = Date.now();
    await postgres.freeze();
    try {
      for (let asked = since; asked - since < STANDSTILL_MS; asked = Date.now()) {
        for (const answer of await Promise.all(requests.map((request) => request()))) {
          expect(answer).toMatchObject({ status: 503, body: { code: 'temporarily-unavailable' } });
          expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
        }
        expect(Date.now() - asked).toBeLessThan(5_000);
      }
    } finally {
      await postgres.thaw();
    }
    await eventually(async () => {
      for (const { status } of await Promise.all(requests.map((request) => request())))
        expect(status).toBeLessThan(500);
    }, within);
    expect(own.pids()).toEqual(pids);
  }, 120_000);

  it('once each, whatever happened', async () => {
    emails = await users.end();
    expect(emails.length).toBeGreaterThanOrEqual(USERS);
    await eventually(() => expectOneEffectOfEach(emails), within);
  }, 300_000);

  it('although Kafka is silent for more than a minute: requests are answered meanwhile, and what they tell waits for it', async () => {
    const customers = await Promise.all(Array.from({ length: USERS }, () => Changing.start()));
    const pids = own.pids();
    // Silent, not killed: a broker that is alone may leave a transaction open for good where it is killed in a commit.
    const { kafka } = own.parts;
    await kafka.freeze();
    const away = Date.now();
    const seen: Readiness[] = [];
    try {
      // Until each has noticed too, which takes as long.
      await eventually(
        async () => {
          for (const customer of customers) await customer.change();
          const states = await Promise.all(SERVICES.map(readinessOf));
          seen.push(...states);
          const haveNoticed = states.every(({ background: { inbox = 'reads nothing' } }) => inbox !== 'ok');
          return haveNoticed && Date.now() - away > A_MINUTE_MS;
        },
        { within: 1.5 * A_MINUTE_MS },
      );
      expect(await unsettledAt('customer-profiles')).toBeGreaterThan(USERS);
    } finally {
      await kafka.thaw();
    }
    expect(seen.filter(({ ok }) => !ok)).toEqual([]);
    await eventually(async () => {
      for (const service of SERVICES)
        expect(await missingAt(castiron.endpoints.services[service]!.url)).toBeUndefined();
      expect(await unsettledAt('customer-profiles')).toBeLessThan(USERS);
    }, within);
    for (const { customer } of customers) await quiet(customer);
    await eventually(async () => {
      const [profiles, feed] = await Promise.all([recordsOn(castiron, customersProfiles.name), partner.read()]);
      for (const customer of customers) customer.expectAllIn(profiles, feed);
    }, within);
    expect(own.pids()).toEqual(pids);
  }, 240_000);

  it('although all of it is delivered once more', async () => {
    const back = await subscribe(castiron);
    await cancel(back);
    await eventually(async () => expect(await mailingTo(back.email)).toBe('stopped'), within);
    await castiron.permit(back.reader, 'notifications', 'mailing');
    await eventually(async () => expect(await mailingTo(back.email)).toBe('allowed'), within);
    await Promise.all([
      sendAgain(customersProfiles.name, 'partner-sharing'),
      sendAgain(notificationsMailings.name, 'partner-sharing'),
      sendAgain(replies.of('notifications').name, 'partner-sharing'),
      sendAgain(duties.of('notifications').name, 'notifications'),
    ]);
    // What came of it, had something, would be before this customer's.
    emails.push(await live());
    await eventually(() => expectOneEffectOfEach(emails, [back.email]), within);
    // The cancellation that came once more does not end what was permitted after it.
    expect(await mailingTo(back.email)).toBe('allowed');
  }, 240_000);

  it('although Kafka is away and each outbox full: what adds is refused, what takes back is answered and comes to pass', async () => {
    const people = await TakingBack.prepare(castiron, FEW);
    await Promise.all(SERVICES.map((service) => own.restart(service, { OUTBOX_LIMIT: String(FEW) })));
    const pids = own.pids();
    const { kafka } = own.parts;
    await kafka.freeze();
    try {
      await people.fill();
      await people.takeBack();
    } finally {
      await kafka.thaw();
    }
    await eventually(() => people.expectTakenBack(), within);
    await people.expectMailedNoMore();
    expect(own.pids()).toEqual(pids);
  }, 180_000);

  it('and a process whose consumer cannot go on ends, and says why', async () => {
    const ended = own.ended('notifications');
    expect(await own.lastWordsOfTheGone()).toEqual([]);
    const database = new pg.Client({ connectionString: castiron.endpoints.postgres.notifications });
    await database.connect();
    await database.query('DROP TABLE inbox');
    await database.end();
    // There is something for it to be told of.
    await castiron.register('service-order', COMPANY);
    const lines = (await ended).trim().split('\n');
    expect(lines[0]).toContain('exit code 1');
    // What it read of its other topic may have something to say after that.
    const fatal = lines.find((line) => line.includes('"level":"fatal"'));
    expect(JSON.parse(fatal ?? '{}')).toMatchObject({
      msg: 'ending after a crash',
      // PostgreSQL's "undefined table".
      err: { code: '42P01' },
    });
  });
});
