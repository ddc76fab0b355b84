import { eventually } from '@castiron/testing';
import { describe, expect, it } from 'vitest';
import { Castiron, COMPANY, valuesOf } from '../support/castiron.js';

const castiron = new Castiron();
const within = { within: 20_000 };

/** Waits until a command of customer-profiles is done. */
const done = (poll: unknown, customer: string): Promise<void> =>
  eventually(async () => {
    const answer = await castiron.call('customer-profiles', 'GET', String(poll), { as: ['customer', customer] });
    expect(answer).toMatchObject({ status: 200, body: { state: 'done' } });
  }, within);

describe('G4: erasure reaches everything (without backups and parked messages)', () => {
  it('takes what a customer withdraws, and then all of them, from the feed before it says that it is done', async () => {
    const partner = await castiron.registerPartner();
    await castiron.agree(partner, [{ purpose: 'recommendation', attributes: ['companyName', 'email'] }]);
    const customer = await castiron.registerCompany({ email: 'erased@example.com' });
    await castiron.permit(customer, partner.slug, 'recommendation');
    const last = async () => (await partner.read()).at(-1);
    const all = { companyName: COMPANY.companyName, email: 'erased@example.com' };
    await eventually(async () => expect(valuesOf(await last())).toEqual(all), within);

    const withdrawn = await castiron.call('customer-profiles', 'DELETE', `/customers/${customer}/attributes/email`, {
      as: ['customer', customer],
      headers: { 'if-match': await castiron.etagOf(customer) },
    });
    expect(withdrawn.status).toBe(202);
    await done(withdrawn.body['poll'], customer);
    await castiron.settled(customer, partner.slug);
    expect(valuesOf(await last())).toEqual({ companyName: COMPANY.companyName });

    const erased = await castiron.call('customer-profiles', 'POST', `/customers/${customer}/erasure`, {
      as: ['customer', customer],
    });
    expect(erased.status).toBe(202);
    await done(erased.body['poll'], customer);
    await eventually(async () => expect((await last())?.record?.attributes).toEqual({}), within);
    const { status } = await castiron.call('customer-profiles', 'GET', `/customers/${customer}`, {
      as: ['customer', customer],
    });
    expect(status).toBe(404);
  });
});
