import type { Admin } from '@castiron/kafka';
import { eventually } from '@castiron/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Castiron, valuesOf, type FeedMessage, type Partner } from '../support/castiron.js';

const castiron = new Castiron();
const CUSTOMERS = 12;
const ROUNDS = 2;

/** Long enough that a send takes its time. */
const services = (round: number) => `server ${round} `.padEnd(900, 'x');

let admin: Admin;
beforeAll(() => {
  admin = castiron.kafka(castiron.endpoints.kafka.principals['admin']!).admin();
});
afterAll(() => admin.close());

/** The end of each partition of the feed, read over a connection that is open already: at once after the answer. */
async function endsOf(partner: Partner): Promise<Map<number, bigint>> {
  const ends = await admin.endOffsets(`feeds.${partner.slug}.v1`);
  return new Map(ends.map(({ partition, offset }) => [partition, BigInt(offset)]));
}

const carries = (message: FeedMessage, purpose: string) =>
  Object.values(message.record?.attributes ?? {}).some((attribute) =>
    attribute?.purposes.some((used) => used.purpose === purpose),
  );

async function feedOf(customers: readonly string[], partner: Partner): Promise<FeedMessage[]> {
  for (const customer of customers) await castiron.settled(customer, partner.slug);
  return partner.read();
}

async function tell(kafka: 'freeze' | 'thaw'): Promise<void> {
  expect((await fetch(`${inject('control')}/kafka/${kafka}`, { method: 'POST' })).status).toBe(204);
}

/** Freezes the broker while the work is done: what is sent meanwhile is neither taken nor refused. */
async function whileKafkaStandsStill(work: () => Promise<void>): Promise<void> {
  await tell('freeze');
  try {
    await work();
  } finally {
    await tell('thaw');
  }
}

/** What was released to the partner: an entry stands in the ledger from *release* on, before anything is sent. */
async function releasesOf(customer: string, partner: Partner): Promise<number> {
  const answer = await castiron.call('partner-sharing', 'GET', `/customers/${customer}/disclosures`, {
    as: ['customer', customer],
  });
  expect(answer.status).toBe(200);
  const disclosures = answer.body['disclosures'] as { recipient: string; kind: string }[];
  return disclosures.filter(({ recipient, kind }) => recipient === partner.slug && kind === 'released').length;
}

/** The state of the customer's only permission. */
async function stateOf(customer: string): Promise<string | undefined> {
  const answer = await castiron.call('partner-sharing', 'GET', `/customers/${customer}/permissions`, {
    as: ['customer', customer],
  });
  return (answer.body['permissions'] as { state: string }[])[0]?.state;
}

describe('G2: revocation fence (without faults)', () => {
  it('leaves no later offset with the revoked purpose, under changes that race with the revocation', async () => {
    const partner = await castiron.registerPartner();
    await castiron.agree(partner, [{ purpose: 'recommendation', attributes: ['companyName', 'servicesUsed'] }]);
    const customers = await Promise.all(
      Array.from({ length: CUSTOMERS }, (_, n) => castiron.registerCompany({ companyName: `Company ${n}` })),
    );
    for (const customer of customers) await castiron.permit(customer, partner.slug, 'recommendation');
    const subjectOf = new Map(
      (await feedOf(customers, partner)).map((message) => [valuesOf(message)['companyName'], message.subject]),
    );
    expect(subjectOf.size).toBe(CUSTOMERS);

    for (let round = 1; round <= ROUNDS; round += 1) {
      const endsAfterAnswer = new Map<string, Map<number, bigint>>();
      await Promise.all(
        customers.map(async (customer, n) => {
          const revoked = castiron.revoke(customer, partner.slug, 'recommendation').then(async () => {
            endsAfterAnswer.set(subjectOf.get(`Company ${n}`) ?? '', await endsOf(partner));
          });
          await Promise.all([castiron.change(customer, { servicesUsed: services(round) }), revoked]);
        }),
      );

      const feed = await feedOf(customers, partner);
      const last = new Map(feed.map((message) => [message.subject, message]));
      expect([...last.values()].filter((message) => carries(message, 'recommendation'))).toEqual([]);
      const isLate = ({ subject, partition, offset }: FeedMessage) =>
        offset >= (endsAfterAnswer.get(subject)?.get(partition) ?? 0n);
      expect(feed.filter((message) => carries(message, 'recommendation') && isLate(message))).toEqual([]);

      // Granted anew, so that there is something to take back again.
      for (const customer of customers) await castiron.permit(customer, partner.slug, 'recommendation');
      await feedOf(customers, partner);
    }
  });

  it('answers only once a send that is under way has ended', async () => {
    const partner = await castiron.registerPartner();
    await castiron.agree(partner, [{ purpose: 'recommendation', attributes: ['companyName'] }]);
    const customer = await castiron.registerCompany();
    await castiron.permit(customer, partner.slug, 'recommendation');
    await castiron.settled(customer, partner.slug);
    await castiron.revoke(customer, partner.slug, 'recommendation');
    await castiron.settled(customer, partner.slug);
    expect(await releasesOf(customer, partner)).toBe(1);

    let answered = false;
    let revocation: Promise<Map<number, bigint>> | undefined;
    await whileKafkaStandsStill(async () => {
      expect((await castiron.grant(customer, partner.slug, 'recommendation')).status).toBeLessThan(300);
      await eventually(async () => expect(await releasesOf(customer, partner)).toBe(2));
      revocation = castiron.revoke(customer, partner.slug, 'recommendation').then(() => {
        answered = true;
        return endsOf(partner);
      });
      await eventually(async () => expect(await stateOf(customer)).toBe('revoked'));
      // Committed; an answer that waits for nothing would be here long before these are.
      for (let n = 0; n < 50; n += 1) await stateOf(customer);
      expect(answered).toBe(false);
    });
    const ends = await revocation!;

    await castiron.settled(customer, partner.slug);
    const feed = await partner.read();
    expect(carries(feed.at(-1)!, 'recommendation')).toBe(false);
    const late = feed.filter(({ partition, offset }) => offset >= (ends.get(partition) ?? 0n));
    expect(late.filter((message) => carries(message, 'recommendation'))).toEqual([]);
  });
});
