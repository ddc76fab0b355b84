import { attributesOf, PURPOSES, type AttributeName, type PurposeName } from '@castiron/contracts';
import { describe, expect, it } from 'vitest';
import { Castiron, COMPANY, valuesOf } from '../support/castiron.js';

const castiron = new Castiron();

/** All a company may give at the door of a service order. */
const HELD: Partial<Record<AttributeName, string>> = {
  ...COMPANY,
  vatNumber: 'GB123456789',
  domainNames: 'acorn.example',
  contactName: 'The Night Desk',
  email: 'accounts@acorn.example',
  phone: '+1 555 0100',
};

const purposes = Object.keys(PURPOSES).filter(
  (purpose) => !['recruitment', 'event-registration'].includes(purpose),
) as PurposeName[];

describe('G1: default deny', () => {
  it.each(purposes)('puts on the feed for %s exactly what agreement and permission allow', async (purpose) => {
    const agreed = attributesOf(purpose).filter((name) => name in HELD);
    const listed = agreed.slice(0, 2);
    const other = purpose === 'security' ? 'notices' : 'security';
    const partner = await castiron.registerPartner();
    await castiron.agree(partner, [
      { purpose, attributes: listed },
      { purpose: other, attributes: ['contactName'] },
    ]);
    const [permitting, silent, revoking] = await Promise.all([1, 2, 3].map(() => castiron.registerCompany(HELD)));
    const stranger = await castiron.registerPartner();
    for (const customer of [permitting, revoking]) await castiron.permit(customer!, partner.slug, purpose);
    await castiron.revoke(revoking!, partner.slug, purpose);
    for (const customer of [permitting, silent, revoking]) {
      await castiron.settled(customer!, partner.slug);
      await castiron.settled(customer!, stranger.slug);
    }

    const feed = await partner.read();
    const carrying = feed.filter((message) => Object.keys(valuesOf(message)).length > 0);
    for (const message of carrying) {
      expect(valuesOf(message)).toEqual(Object.fromEntries(listed.map((name) => [name, HELD[name]])));
      for (const attribute of Object.values(message.record?.attributes ?? {})) {
        expect(attribute?.purposes).toEqual([{ purpose, ground: 'permission' }]);
      }
    }
    const last = new Map(feed.map((message) => [message.subject, valuesOf(message)]));
    expect([...last.values()].filter((values) => Object.keys(values).length > 0)).toHaveLength(1);
    // The one who revoked stood there for a moment, or was never released; the silent one never was.
    expect(last.size).toBeLessThanOrEqual(2);
    expect(await stranger.read()).toEqual([]);
  });

  it('keeps back an attribute above the highest tier of the agreement', async () => {
    const customer = await castiron.registerCompany(HELD);
    const partner = await castiron.registerPartner();
    await castiron.agree(
      partner,
      [{ purpose: 'recommendation', attributes: ['companyName', 'servicesUsed'] }],
      'internal',
    );
    await castiron.permit(customer, partner.slug, 'recommendation');

    const feed = await partner.readUntil((messages) => expect(messages).toHaveLength(1));
    expect(Object.keys(valuesOf(feed[0]))).toEqual(['companyName']);
    expect(JSON.stringify(await castiron.explain(customer, partner.slug, 'servicesUsed'))).toContain('p07');
  });

  it('gives a network member what it needs to render services, by cooperation and without a permission', async () => {
    const member = await castiron.registerPartner('network-member');
    await castiron.agree(member, [{ purpose: 'service-delivery', attributes: ['domainNames'], ground: 'cooperation' }]);
    const customer = await castiron.registerCompany({ ...HELD, domainNames: 'cooperation.example' });
    const feed = await member.readUntil((messages) =>
      expect(messages.map((message) => valuesOf(message)['domainNames'])).toContain('cooperation.example'),
    );
    const record = feed.find((message) => valuesOf(message)['domainNames'] === 'cooperation.example');
    expect(record?.record?.attributes.domainNames?.purposes).toEqual([
      { purpose: 'service-delivery', ground: 'cooperation' },
    ]);
    expect(await castiron.explain(customer, member.slug, 'domainNames')).toBeDefined();
  });

  it('never takes cooperation as a ground for a third party', async () => {
    const partner = await castiron.registerPartner('third-party');
    const drafted = await castiron.draft(partner, [
      { purpose: 'service-delivery', attributes: ['domainNames'], ground: 'cooperation' },
    ]);
    expect(drafted.status).toBeGreaterThanOrEqual(400);
  });
});
