import { describe, expect, it } from 'vitest';
import type { Profile } from '../profile.js';
import { decideChange } from './change-attributes.decision.js';

const profile: Profile = {
  customer: '5f0c5a0e-6ff2-4d1e-8d0e-2f1f3c1a9b10',
  version: 4,
  door: 'service-order',
  purposes: ['invoicing', 'service-delivery', 'security', 'notices'],
  origin: 'registered',
  statementVersion: 1,
  registeredAt: new Date('2026-11-23T09:00:00.000Z'),
  values: new Map([
    ['companyName', 'Example Ltd'],
    ['servicesUsed', 'dedicated server'],
    ['registeredAddress', '1 Main Street'],
    ['phone', '+1 555 0100'],
  ]),
};
const change = (changes: Record<string, unknown>) => decideChange(profile, changes);

describe('a change of attributes', () => {
  it('changes, adds and withdraws at once', () => {
    expect(change({ companyName: 'Example plc', email: 'a@example.com', phone: null })).toEqual({
      ok: true,
      value: {
        set: new Map([
          ['companyName', 'Example plc'],
          ['email', 'a@example.com'],
        ]),
        withdrawn: new Set(['phone']),
      },
    });
  });

  it('is none where everything is as it was', () => {
    expect(change({ companyName: 'Example Ltd', email: null })).toEqual({
      ok: true,
      value: { set: new Map(), withdrawn: new Set() },
    });
  });

  it.each(['companyName', 'servicesUsed', 'registeredAddress'])('cannot withdraw the compulsory %s (P1)', (name) => {
    expect(change({ phone: null, [name]: null })).toMatchObject({
      refusal: { code: 'compulsory-attribute-withdrawn', field: name, promise: 'P1' },
    });
  });

  it('adds nothing that the door does not ask for (P12)', () => {
    expect(change({ curriculumVitae: 'x' })).toMatchObject({
      refusal: { code: 'attribute-not-asked', promise: 'P12' },
    });
  });
});
