import { describe, expect, it } from 'vitest';
import type { AttributeName } from '@castiron/contracts';
import type { SealedProfile } from '../profiles/profile.js';
import { recoverProfile, type LostProfile } from './recover-profile.decision.js';

type Given = Readonly<Partial<Record<AttributeName, readonly [version: number, sealed: string]>>>;

const facts = {
  customer: '5f0c5a0e-6ff2-4d1e-8d0e-2f1f3c1a9b10',
  door: 'service-order',
  purposes: [],
  origin: 'registered',
  statementVersion: 1,
} as const;
const entries = (given: Given) =>
  (Object.entries(given) as [AttributeName, readonly [number, string]][]).map(
    ([name, [version, text]]) => [name, { version, text }] as const,
  );

const here = (version: number, given: Given): SealedProfile => ({
  ...facts,
  version,
  registeredAt: new Date(0),
  attributes: new Map(
    entries(given).map(([name, { version: at, text }]) => [name, { version: at, sealed: Buffer.from(text) }]),
  ),
});
const lost = (version: number, given: Given): LostProfile => ({
  ...facts,
  purposes: [],
  version,
  registeredAt: new Date(0).toISOString(),
  attributes: Object.fromEntries(
    entries(given).map(([name, { version: at, text }]) => [
      name,
      { version: at, sealed: Buffer.from(text).toString('base64') },
    ]),
  ),
});
const valuesOf = (profile: SealedProfile | undefined) =>
  Object.fromEntries([...(profile?.attributes ?? [])].map(([name, { sealed }]) => [name, sealed.toString()]));

describe('a profile of which a lost life of the database told something', () => {
  it('is as it was told last, under a version of its own', () => {
    const known = here(2, { companyName: [1, 'Acme'], email: [2, 'a@b'] });
    const profile = recoverProfile(known, lost(4, { companyName: [3, 'Acme II'] }), [3, 4]);
    expect(profile?.version).toBe(5);
    expect(valuesOf(profile)).toEqual({ companyName: 'Acme II' });
  });

  it('is found again where its customer came after the backup', () => {
    const profile = recoverProfile(undefined, lost(1, { companyName: [1, 'Acme'] }), [1]);
    expect(profile?.version).toBe(2);
    expect(valuesOf(profile)).toEqual({ companyName: 'Acme' });
  });

  it('keeps what was given since the restore, and what was withdrawn in either life stays withdrawn', () => {
    // Backed up at version 2; lost: e-mail withdrawn. Since: a phone given, the services withdrawn.
    const known = here(4, { companyName: [1, 'Acme'], email: [2, 'a@b'], phone: [3, '+1'] });
    const told = lost(3, { companyName: [1, 'Acme'], servicesUsed: [2, 'server'] });
    const profile = recoverProfile(known, told, [3, 3, 4]);
    expect(profile?.version).toBe(5);
    expect(valuesOf(profile)).toEqual({ companyName: 'Acme', phone: '+1' });
  });

  it('is left alone once it was recovered', () => {
    const told = lost(4, { companyName: [3, 'Acme II'] });
    expect(recoverProfile(here(5, { companyName: [3, 'Acme II'] }), told, [3, 4])).toBeUndefined();
  });
});
