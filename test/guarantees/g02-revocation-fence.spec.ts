import type { Admin } from '@castiron/kafka';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Castiron, valuesOf, type FeedMessage, type Partner } from '../support/castiron.js';

const castiron = new Castiron();
const CUSTOMERS = 12;
const ROUNDS = 4;

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
});
