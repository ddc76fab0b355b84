import { describe, expect, it } from 'vitest';
import { Castiron, COMPANY, valuesOf } from '../support/castiron.js';

const castiron = new Castiron();
const RECOMMENDATION = { purpose: 'recommendation', attributes: ['companyName', 'servicesUsed'] };
const SECURITY = { purpose: 'security', attributes: ['companyName', 'phone'] };

describe('from a permission to the partner and back', () => {
  it('puts exactly the permitted attributes on the feed once the customer permits', async () => {
    const partner = await castiron.registerPartner();
    await castiron.agree(partner, [RECOMMENDATION]);
    const customer = await castiron.registerCompany({ email: 'accounts@acorn.example', phone: '+1 555 0100' });
    await castiron.permit(customer, partner.slug, 'recommendation');

    const feed = await partner.readUntil((messages) => expect(messages).toHaveLength(1));
    expect(valuesOf(feed[0])).toEqual({ companyName: COMPANY.companyName, servicesUsed: COMPANY.servicesUsed });
    expect(feed[0]?.record).toMatchObject({ version: 1, mailing: 'stopped' });
    expect(feed[0]?.subject).not.toBe(customer);
  });

  it('sends a new record when a permitted attribute changes', async () => {
    const partner = await castiron.registerPartner();
    await castiron.agree(partner, [RECOMMENDATION]);
    const customer = await castiron.registerCompany();
    await castiron.permit(customer, partner.slug, 'recommendation');
    await partner.readUntil((messages) => expect(messages).toHaveLength(1));
    await castiron.change(customer, { companyName: 'Acorn Cloud Ltd' });

    const feed = await partner.readUntil((messages) => expect(messages).toHaveLength(2));
    expect(valuesOf(feed[1])).toEqual({ companyName: 'Acorn Cloud Ltd', servicesUsed: COMPANY.servicesUsed });
    expect(feed[1]?.record?.version).toBe(2);
  });

  it('withdraws when the permission is revoked, and sends nothing after it', async () => {
    const partner = await castiron.registerPartner();
    await castiron.agree(partner, [RECOMMENDATION]);
    const customer = await castiron.registerCompany();
    await castiron.permit(customer, partner.slug, 'recommendation');
    await partner.readUntil((messages) => expect(messages).toHaveLength(1));
    await castiron.revoke(customer, partner.slug, 'recommendation');
    await partner.readUntil((messages) => expect(valuesOf(messages.at(-1))).toEqual({}));
    await castiron.change(customer, { companyName: 'Acorn After Ltd' });

    // A second partner shows that the change has arrived; a permission given anew puts the first feed's next record in
    // order behind whatever came after the withdrawal.
    const witness = await castiron.registerPartner();
    await castiron.agree(witness, [RECOMMENDATION]);
    await castiron.permit(customer, witness.slug, 'recommendation');
    await witness.readUntil((messages) =>
      expect(valuesOf(messages.at(-1))).toMatchObject({ companyName: 'Acorn After Ltd' }),
    );
    await castiron.permit(customer, partner.slug, 'recommendation');
    const feed = await partner.readUntil((messages) =>
      expect(valuesOf(messages.at(-1))).toMatchObject({ companyName: 'Acorn After Ltd' }),
    );
    expect(feed.map((message) => valuesOf(message)['companyName'])).toEqual([
      COMPANY.companyName,
      undefined,
      'Acorn After Ltd',
    ]);
  });

  it('sends nothing to a recipient without an agreement', async () => {
    const partner = await castiron.registerPartner();
    const customer = await castiron.registerCompany();
    const witness = await castiron.registerPartner();
    await castiron.agree(witness, [RECOMMENDATION]);
    await castiron.permit(customer, witness.slug, 'recommendation');
    const refused = await castiron.grant(customer, partner.slug, 'recommendation');
    expect(refused).toMatchObject({ status: 422, body: { code: 'no-agreement-in-force', promise: 'P8' } });
    await castiron.change(customer, { companyName: 'Acorn Alone Ltd' });
    await witness.readUntil((messages) =>
      expect(valuesOf(messages.at(-1))).toMatchObject({ companyName: 'Acorn Alone Ltd' }),
    );
    await castiron.settled(customer, partner.slug);
    expect(await partner.read()).toEqual([]);
    const why = await castiron.explain(customer, partner.slug, 'companyName');
    expect(JSON.stringify(why)).toContain('p08-only-to-companies-that-agreed');
  });

  it('keeps what one purpose allows when another is revoked', async () => {
    const partner = await castiron.registerPartner();
    await castiron.agree(partner, [RECOMMENDATION, SECURITY]);
    const customer = await castiron.registerCompany({ phone: '+1 555 0100' });
    await castiron.permit(customer, partner.slug, 'recommendation');
    await castiron.permit(customer, partner.slug, 'security');
    await partner.readUntil((messages) =>
      expect(Object.keys(valuesOf(messages.at(-1))).sort()).toEqual(['companyName', 'phone', 'servicesUsed']),
    );
    await castiron.revoke(customer, partner.slug, 'recommendation');

    const feed = await partner.readUntil((messages) =>
      expect(Object.keys(valuesOf(messages.at(-1))).sort()).toEqual(['companyName', 'phone']),
    );
    expect(feed.at(-1)?.record?.attributes.companyName?.purposes).toEqual([
      { purpose: 'security', ground: 'permission' },
    ]);
  });

  it('withdraws from all customers when the agreement is terminated', async () => {
    const partner = await castiron.registerPartner();
    const agreement = await castiron.agree(partner, [RECOMMENDATION]);
    const customers = await Promise.all(
      [1, 2, 3].map((n) => castiron.registerCompany({ companyName: `Company ${n}` })),
    );
    for (const customer of customers) await castiron.permit(customer, partner.slug, 'recommendation');
    await partner.readUntil((messages) => expect(messages).toHaveLength(3));
    const ended = await castiron.call('partner-sharing', 'POST', `/agreements/${agreement}/termination`, {
      as: ['privacy-officer', 'officer'],
      body: { reason: 'no longer needed' },
    });
    expect(ended.status).toBe(200);

    const feed = await partner.readUntil((messages) => expect(messages).toHaveLength(6));
    const last = new Map(feed.map((message) => [message.subject, message]));
    expect(last.size).toBe(3);
    for (const message of last.values()) expect(valuesOf(message)).toEqual({});
  });
});
