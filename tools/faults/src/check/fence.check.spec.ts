import { describe, expect, it } from 'vitest';
import { checkFence } from './fence.check.js';
import { done, goodRun, KEY, onFeed, permission } from './history.example.js';
import type { Observed } from './observed.js';

const said = (over: Partial<Observed>): string[] => checkFence(goodRun(over)).map(({ kind }) => kind);
const late = ['revoked-and-sent'];

describe('a revocation that was answered', () => {
  const told = { version: 2, answered: 100 };
  const revoked = done(4, { kind: 'revoke', purpose: 'recommendation' }, 'ok', told);
  const operations = [...goodRun().operations, revoked];
  const before = onFeed(1, 0, { at: 90 });
  const after = onFeed(2, 1, { at: 101 });
  const empty = onFeed(3, 5, { at: 200, values: {}, purposes: {} });

  it('is kept where no later record carries the purpose', () => {
    expect(said({ operations, partnerFeed: [before, empty] })).toEqual([]);
    const other = { ...after, purposes: { companyName: ['invoicing'] } };
    expect(said({ operations, partnerFeed: [before, other, empty] })).toEqual([]);
  });

  it('is broken by one that does, whatever came before and after it', () => {
    expect(said({ operations, partnerFeed: [before, after, empty] })).toEqual(late);
  });

  it('is broken although a permission from before it had no answer: such a one is refused', () => {
    const earlier = done(3, { kind: 'grant', purpose: 'recommendation' }, 'info', {}, 35);
    expect(said({ operations: [...operations, earlier], partnerFeed: [before, after] })).toEqual(late);
  });

  it('is not broken after a new permission, nor where one may have come to pass', () => {
    for (const outcome of ['ok', 'info'] as const) {
      const again = done(5, { kind: 'grant', purpose: 'recommendation' }, outcome, { version: 3 }, 150);
      const granted = { operations: [...operations, again], permissions: [permission(3, 'granted')] };
      expect(said({ ...granted, partnerFeed: [before, onFeed(2, 1, { at: 151 })] })).toEqual([]);
      expect(said({ ...granted, partnerFeed: [before, after] })).toEqual(late);
    }
  });

  it('is broken although a permission had no answer, where what came to pass is another one, of later', () => {
    const grant = { kind: 'grant', purpose: 'recommendation' } as const;
    const cutOff = done(5, grant, 'info', {}, 150);
    const later = done(6, grant, 'ok', { version: 3 }, 500);
    const permissions = [permission(1, 'granted'), permission(2, 'revoked'), permission(3, 'granted')];
    const granted = { operations: [...operations, cutOff, later], partnerFeed: [before, onFeed(2, 1, { at: 151 })] };
    const stands = (version: number) => ({ permitted: new Map([[KEY, { version, state: 'granted' }]]) });
    expect(said({ ...granted, permissions, ...stands(3) })).toEqual(late);
    // Both came to pass.
    const four = [...permissions, permission(4, 'granted')];
    const last = { operations: [...operations, cutOff, { ...later, told: { version: 4 } }] };
    expect(said({ ...granted, ...last, permissions: four, ...stands(4) })).toEqual([]);
  });

  it('is broken although a permission had no answer, where none came to pass', () => {
    const tried = [...operations, done(5, { kind: 'grant', purpose: 'recommendation' }, 'info', {}, 150)];
    const partnerFeed = [before, onFeed(2, 1, { at: 151 })];
    const permissions = [permission(1, 'granted'), permission(2, 'revoked')];
    const stands = (version: number, state: string) => ({ permitted: new Map([[KEY, { version, state }]]) });
    expect(said({ operations: tried, partnerFeed, permissions, ...stands(2, 'revoked') })).toEqual(late);
    // It came to pass; and it may have, where not all of it was sent.
    expect(said({ operations: tried, partnerFeed, permissions, ...stands(3, 'granted') })).toEqual([]);
    const unsent = new Set(['partner-sharing']);
    expect(said({ operations: tried, partnerFeed, permissions, unsent, ...stands(4, 'revoked') })).toEqual([]);
  });
});
