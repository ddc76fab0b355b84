import { describe, expect, it } from 'vitest';
import { decideRegistration } from './register-customer.decision.js';

const customer = '5f0c5a0e-6ff2-4d1e-8d0e-2f1f3c1a9b10';
const now = new Date('2026-11-23T09:00:00.000Z');
const order = { companyName: 'Example Ltd', servicesUsed: 'dedicated server', registeredAddress: '1 Main Street' };

const register = (door: 'service-order' | 'subscription' | 'job-application', attributes: Record<string, unknown>) =>
  decideRegistration({ statementVersion: 3 }, { door, origin: 'registered', attributes }, customer, now);

describe('a registration', () => {
  it('gives a profile with the purposes of its door, under the statement in effect', () => {
    expect(register('service-order', order)).toEqual({
      ok: true,
      value: {
        customer,
        version: 1,
        door: 'service-order',
        purposes: ['invoicing', 'service-delivery', 'security', 'notices'],
        origin: 'registered',
        statementVersion: 3,
        registeredAt: now,
        values: new Map(Object.entries(order)),
      },
    });
  });

  it.each(Object.keys(order))('to order a service is refused without %s, by name (P1)', (name) => {
    const { [name]: _left, ...rest } = order as Record<string, string>;
    expect(register('service-order', rest)).toMatchObject({
      refusal: { code: 'compulsory-attribute-missing', field: `attributes.${name}`, promise: 'P1' },
    });
  });

  it('to subscribe needs an e-mail address and nothing more (P1)', () => {
    expect(register('subscription', { email: 'a@example.com' }).ok).toBe(true);
    expect(register('subscription', {})).toMatchObject({ refusal: { field: 'attributes.email' } });
  });

  it('is asked only what its door is for (P12)', () => {
    expect(register('job-application', { contactName: 'A', curriculumVitae: 'Wrote compilers' }).ok).toBe(true);
    expect(register('service-order', { ...order, curriculumVitae: 'x' })).toMatchObject({
      refusal: { code: 'attribute-not-asked', field: 'attributes.curriculumVitae', promise: 'P12' },
    });
  });

  it('names the field that is at fault', () => {
    expect(register('service-order', { ...order, companyName: 'a\u0007' })).toMatchObject({
      refusal: { code: 'attribute-control-characters', field: 'attributes.companyName' },
    });
  });
});
