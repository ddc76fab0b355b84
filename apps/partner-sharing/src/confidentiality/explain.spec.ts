import { describe, expect, it } from 'vitest';
import { decideShare } from './decide-share.decision.js';
import { explain } from './explain.js';
import { aQuestion } from './question.example.js';

type Changes = Parameters<typeof aQuestion>[0];

function explained(changes: Changes = {}) {
  const { facts, attribute, now } = aQuestion(changes);
  return explain(facts, attribute, now);
}

function decided(changes: Changes = {}) {
  const { facts, now } = aQuestion(changes);
  return decideShare(facts, now);
}

describe('explaining why an attribute is on a feed', () => {
  it('names the ground that carries it, and the clauses that held', () => {
    const told = explained();
    expect(told).toMatchObject({
      recipient: 'northern-hosting',
      attribute: 'companyName',
      onFeed: true,
      policyVersion: '1',
    });
    expect(told.words).toBe('northern-hosting may hold companyName for service-delivery.');
    const delivery = told.purposes.find(({ purpose }) => purpose === 'service-delivery');
    expect(delivery).toMatchObject({ allowed: true, ground: 'cooperation' });
    expect(delivery?.words).toBe(
      'For service-delivery: the agreement lists it as cooperation, and the customer has not objected.',
    );
    expect(delivery?.clauses).toContainEqual({
      clause: 'p04-cooperation-only-inside-the-network',
      promise: 'P4',
      ground: 'cooperation',
      held: true,
      because: 'Only members of the network cooperate in rendering services.',
    });
    // The permission was not given and was not needed: both is told.
    expect(delivery?.clauses.filter(({ held }) => !held).map(({ clause }) => clause)).toEqual([
      'p08-nothing-without-permission',
    ]);
  });

  it('says per purpose what refused, and lets a ground that holds speak for itself', () => {
    const told = explained({ agreement: { state: 'terminated' }, permissions: { 'service-delivery': 'granted' } });
    expect(told.onFeed).toBe(false);
    expect(told.words).toBe('northern-hosting may not hold companyName: no purpose allows it.');
    const delivery = told.purposes.find(({ purpose }) => purpose === 'service-delivery');
    expect(delivery?.words).toBe('Not for service-delivery: the agreement with northern-hosting is terminated.');
  });

  it('also tells of purposes that a recipient wants it for though they do not need it', () => {
    const purposes = [{ purpose: 'recruitment', attributes: ['companyName'], ground: 'permission' }] as const;
    const recruitment = explained({ agreement: { purposes } }).purposes.find(
      ({ purpose }) => purpose === 'recruitment',
    );
    expect(recruitment?.words).toContain('recruitment does not need companyName');
  });
});

describe('refusals of a decision', () => {
  it('name the clause for what the recipient asks and does not get', () => {
    expect(decided().attributes).toEqual({
      companyName: { purposes: [{ purpose: 'service-delivery', ground: 'cooperation' }] },
    });
    expect(decided().refusals).toEqual([
      {
        attribute: 'phone',
        purpose: 'service-delivery',
        clause: 'p01-only-what-the-customer-gave',
        detail: 'the customer has not given phone, or has withdrawn it',
      },
    ]);
  });

  it('name the missing agreement to whom the customer permitted something', () => {
    const { attributes, refusals } = decided({ agreement: null, permissions: { mailing: 'granted' } });
    expect(attributes).toEqual({});
    expect(new Set(refusals.map(({ clause }) => clause))).toContain('p08-only-to-companies-that-agreed');
    expect(new Set(refusals.map(({ purpose }) => purpose))).toEqual(new Set(['mailing']));
  });

  it('name the clauses of every ground that was claimed where none held', () => {
    const { refusals } = decided({ permissions: { 'service-delivery': 'revoked' } });
    expect(refusals.filter(({ attribute }) => attribute === 'companyName').map(({ clause }) => clause)).toEqual([
      'p08-nothing-without-permission',
      'p13-no-cooperation-against-an-objection',
    ]);
  });
});

describe('a permission', () => {
  it('reaches a purpose outside the door, as far as the agreement lists it', () => {
    const purposes = [{ purpose: 'recommendation', attributes: ['companyName'], ground: 'permission' }] as const;
    const { attributes } = decided({ agreement: { purposes }, permissions: { recommendation: 'granted' } });
    expect(attributes).toEqual({ companyName: { purposes: [{ purpose: 'recommendation', ground: 'permission' }] } });
  });

  it('is named as the ground before cooperation, and one purpose goes while another stays', () => {
    const purposes = [
      { purpose: 'service-delivery', attributes: ['companyName'], ground: 'cooperation' },
      { purpose: 'security', attributes: ['companyName'], ground: 'cooperation' },
    ] as const;
    const given = {
      agreement: { purposes },
      permissions: { 'service-delivery': 'granted', security: 'revoked' },
    } as const;
    expect(decided(given).attributes).toEqual({
      companyName: { purposes: [{ purpose: 'service-delivery', ground: 'permission' }] },
    });
  });
});
