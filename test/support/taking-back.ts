import { randomUUID } from 'node:crypto';
import { duties, withdrawalDue, type DataOf } from '@castiron/contracts';
import { eventually } from '@castiron/testing';
import { expect } from 'vitest';
import { COMPANY, valuesOf, type Answer, type Castiron, type Partner } from './castiron.js';
import { mailsTo } from './mails.js';
import { cancel, subscribe, type Reader } from './readers.js';
import { eventsOn, lastOnOwnFeed } from './records.js';

const within = { within: 60_000 };
const FULL = { status: 503, body: { code: 'outbox-full' } };
const officer = ['privacy-officer', 'officer'] as const;

async function partnerFor(castiron: Castiron, purpose: string, attribute: string) {
  const partner = await castiron.registerPartner();
  return { partner, agreement: await castiron.agree(partner, [{ purpose, attributes: [attribute] }]) };
}

/** People who take back what they gave, each in another way, while there is no room for anything that adds. */
export class TakingBack {
  private readonly companyName = `Company ${randomUUID()}`;
  private readonly email = `${randomUUID()}@acorn.example`;
  private customer = '';
  private revoked!: Partner;
  private terminated!: Awaited<ReturnType<typeof partnerFor>>;
  private permitted!: Partner;
  private readonly readers: Reader[] = [];

  private readonly granted: string[] = [];

  private constructor(
    private readonly castiron: Castiron,
    private readonly limit: number,
  ) {}

  /** @param limit of the outboxes, which is to be set after this */
  static async prepare(castiron: Castiron, limit: number): Promise<TakingBack> {
    const people = new TakingBack(castiron, limit);
    const { companyName, email } = people;
    people.customer = await castiron.registerCompany({ companyName, email });
    people.revoked = (await partnerFor(castiron, 'recommendation', 'companyName')).partner;
    people.terminated = await partnerFor(castiron, 'recommendation', 'companyName');
    people.permitted = (await partnerFor(castiron, 'mailing', 'email')).partner;
    for (const { slug } of [people.revoked, people.terminated.partner])
      await castiron.permit(people.customer, slug, 'recommendation');
    // One more to cancel where there is no room, and one who stays.
    people.readers.push(...(await Promise.all(Array.from({ length: limit + 2 }, () => subscribe(castiron)))));
    for (const partner of [people.revoked, people.terminated.partner])
      await partner.readUntil((feed) => expect(valuesOf(feed.at(-1))).toEqual({ companyName }));
    await eventually(async () => expect((await lastOnOwnFeed(castiron))(email)).toBeDefined(), within);
    return people;
  }

  private readonly adding: readonly (() => Promise<Answer>)[] = [
    () =>
      this.castiron.call('customer-profiles', 'POST', '/registrations/service-order', {
        as: ['service', 'portal'],
        body: { attributes: COMPANY },
      }),
    () => this.castiron.grant(this.readers[0]?.reader ?? '', this.permitted.slug, 'mailing'),
    () => this.orderMailing('Words that nobody is to read'),
  ];

  private orderMailing(subject: string): Promise<Answer> {
    return this.castiron.call('notifications', 'POST', '/mailings', { as: officer, body: { subject, text: 'News.' } });
  }

  /** Until everything that adds is refused for want of room, at each service. */
  async fill(): Promise<void> {
    const first = this.readers.slice(0, this.limit);
    for (const one of first) {
      // Not all of them where it is full the sooner: what is released is announced too.
      const { status } = await this.castiron.grant(one.reader, this.permitted.slug, 'mailing');
      if (status === 200) this.granted.push(one.email);
      await cancel(one);
    }
    for (const add of this.adding) await eventually(async () => expect(await add()).toMatchObject(FULL), within);
  }

  async takeBack(): Promise<void> {
    await this.castiron.revoke(this.customer, this.revoked.slug, 'recommendation');
    await this.castiron.change(this.customer, { email: null });
    await cancel(this.readers[this.limit]!);
    const { partner, agreement } = this.terminated;
    const terminated = await this.castiron.call('partner-sharing', 'POST', `/agreements/${agreement}/termination`, {
      as: ['partner', partner.slug],
      body: { reason: 'We part.' },
    });
    expect(terminated).toMatchObject({ status: 200, body: { state: 'terminated' } });
    // All of it went into a room that was full, and still is.
    for (const add of this.adding) expect(await add()).toMatchObject(FULL);
  }

  /** Everything that was answered has its effect, and there is room again. */
  async expectTakenBack(): Promise<void> {
    for (const partner of [this.revoked, this.terminated.partner]) {
      const feed = await partner.read();
      const subject = feed.find((message) => valuesOf(message)['companyName'] === this.companyName)?.subject;
      expect(valuesOf(feed.findLast((message) => message.subject === subject))).toEqual({});
      const due = await eventsOn<DataOf<typeof withdrawalDue>>(
        this.castiron,
        duties.of(partner.slug).name,
        withdrawalDue,
      );
      expect(due.map((duty) => duty.subject)).toEqual([subject]);
    }
    const lastOf = await lastOnOwnFeed(this.castiron);
    expect(lastOf(this.email)?.attributes.email).toBeUndefined();
    const mailings = this.readers.map(({ email }) => lastOf(email)?.mailing);
    expect(mailings).toEqual(this.readers.map((_, n) => (n <= this.limit ? 'stopped' : 'allowed')));
    const permitted = (await this.permitted.read()).map((message) => valuesOf(message)['email']);
    expect(permitted.sort()).toEqual([...this.granted].sort());
  }

  /** The next mailing goes to who stayed, and to nobody who cancelled. */
  async expectMailedNoMore(): Promise<void> {
    const subject = `News ${randomUUID()}`;
    const ordered = await eventually(async () => {
      const answer = await this.orderMailing(subject);
      expect(answer.status).toBe(201);
      return answer;
    }, within);
    await eventually(async () => {
      const path = `/mailings/${String(ordered.body['mailing'])}`;
      const { body } = await this.castiron.call('notifications', 'GET', path, { as: officer });
      expect(body['writtenAt']).not.toBeNull();
      expect(body['mails']).not.toHaveProperty('queued');
      expect(body['mails']).not.toHaveProperty('sending');
    }, within);
    const got = await Promise.all(
      this.readers.map(async ({ email }) =>
        (await mailsTo(this.castiron, email)).filter((mail) => mail.subject === subject),
      ),
    );
    expect(got.map(({ length }) => length)).toEqual(this.readers.map((_, n) => (n <= this.limit ? 0 : 1)));
  }
}
