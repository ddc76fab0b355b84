import { describe, expect, it } from 'vitest';
import { Castiron, valuesOf, type FeedMessage, type Partner } from '../support/castiron.js';

const castiron = new Castiron();

/** The end of each partition of the feed, read the moment the revocation was answered. */
async function endsOf(partner: Partner): Promise<Map<number, bigint>> {
  const admin = castiron.kafka(castiron.endpoints.kafka.principals['admin']!).admin();
  try {
    const ends = await admin.endOffsets(`feeds.${partner.slug}.v1`);
    return new Map(ends.map(({ partition, offset }) => [partition, BigInt(offset)]));
  } finally {
    await admin.close();
  }
}

const carries = (message: FeedMessage, purpose: string) =>
  Object.values(message.record?.attributes ?? {}).some((attribute) =>
    attribute?.purposes.some((used) => used.purpose === purpose),
  );

describe('G2: revocation fence (without faults)', () => {
  it('leaves no later offset with the revoked purpose, under changes that race with the revocation', async () => {
    const partner = await castiron.registerPartner();
    await castiron.agree(partner, [{ purpose: 'recommendation', attributes: ['companyName', 'servicesUsed'] }]);
    const names = Array.from({ length: 12 }, (_, n) => `Company ${n}`);
    const customers = await Promise.all(names.map((companyName) => castiron.registerCompany({ companyName })));
    for (const customer of customers) await castiron.permit(customer, partner.slug, 'recommendation');
    const before = await partner.readUntil((messages) => expect(messages).toHaveLength(12));
    const subjectOf = new Map(before.map((message) => [valuesOf(message)['companyName'], message.subject]));

    const endsAfterAnswer = new Map<string, Map<number, bigint>>();
    await Promise.all(
      customers.map(async (customer, n) => {
        for (let change = 0; change < 5; change += 1)
          await castiron.change(customer, { servicesUsed: `server ${change}` });
        const racing = castiron.change(customer, { servicesUsed: 'the last one' });
        await castiron.revoke(customer, partner.slug, 'recommendation');
        endsAfterAnswer.set(subjectOf.get(`Company ${n}`) ?? '', await endsOf(partner));
        await racing;
      }),
    );

    const feed = await partner.readUntil((messages) => {
      const last = new Map(messages.map((message) => [message.subject, message]));
      expect(last.size).toBe(12);
      expect([...last.values()].filter((message) => carries(message, 'recommendation'))).toEqual([]);
    });
    const late = feed.filter(
      (message) =>
        carries(message, 'recommendation') &&
        message.offset >= (endsAfterAnswer.get(message.subject)?.get(message.partition) ?? 0n),
    );
    expect(late).toEqual([]);
  });
});
