import { openingProblem } from '@castiron/ledger';
import { describe, expect, it } from 'vitest';
import { Castiron, valuesOf } from '../support/castiron.js';
import { ledgerOf } from '../support/ledger.js';

const castiron = new Castiron();

describe('G3: the ledger tells all (without proofs)', () => {
  it('has one entry for every record, which opens its commitments, and a record for every released entry', async () => {
    const partner = await castiron.registerPartner();
    await castiron.agree(partner, [{ purpose: 'recommendation', attributes: ['companyName', 'servicesUsed'] }]);
    for (let n = 0; n < 4; n += 1) {
      const customer = await castiron.registerCompany({ companyName: `Ledger ${n}` });
      await castiron.permit(customer, partner.slug, 'recommendation');
      // Only what was once on the feed is withdrawn from it.
      await partner.readUntil((messages) =>
        expect(messages.map((message) => valuesOf(message)['companyName'])).toContain(`Ledger ${n}`),
      );
      await castiron.change(customer, { servicesUsed: 'another server' });
      if (n % 2 === 0) await castiron.revoke(customer, partner.slug, 'recommendation');
    }
    const feed = await partner.readUntil((messages) => {
      const last = new Map(messages.map((message) => [message.subject, message]));
      expect(
        [...last.values()].filter((message) => Object.keys(message.record?.attributes ?? {}).length === 0),
      ).toHaveLength(2);
      expect(
        [...last.values()].filter((message) => message.record?.attributes.servicesUsed?.value === 'another server'),
      ).toHaveLength(2);
    });

    const entries = await ledgerOf(castiron, partner.slug);
    for (const message of feed) {
      const matching = entries.filter((entry) => entry.leaf.id === message.ledgerEntry);
      expect(matching).toHaveLength(1);
      expect(matching[0]?.leaf.id).toBe(message.record?.entry);
      expect(openingProblem(matching[0]!.leaf, message.record!)).toBeUndefined();
    }
    const onFeed = new Set(feed.map((message) => message.ledgerEntry));
    const aborted = new Set(entries.filter((entry) => entry.leaf.kind === 'aborted').map((entry) => entry.leaf.of));
    for (const { leaf } of entries.filter((entry) => ['released', 'withdrawn'].includes(entry.leaf.kind))) {
      expect(onFeed.has(leaf.id) || aborted.has(leaf.id), leaf.id).toBe(true);
    }
  });

  it('has no gap in its index', async () => {
    const indexes = (await ledgerOf(castiron)).map((entry) => entry.index);
    expect(indexes).toEqual(indexes.map((_, position) => String(position)));
  });
});
