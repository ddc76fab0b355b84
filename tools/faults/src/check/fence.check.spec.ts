import { describe, expect, it } from 'vitest';
import { check } from './check.js';
import { done, goodRun, KEY, onFeed, permission } from './history.example.js';
import type { Observed } from './observed.js';

const said = (over: Partial<Observed>): string[] => [...new Set(check(goodRun(over)).map(({ kind }) => kind))];

describe('a revocation that was answered', () => {
  const revoked = done(4, { kind: 'revoke', purpose: 'recommendation' }, 'ok', { version: 2, feedEnds: { 0: '1' } });
  const permissions = [permission(1, 'granted'), permission(2, 'revoked')];
  const empty = onFeed(3, 5, { values: {}, purposes: {} });
  const base = {
    operations: [...goodRun().operations, revoked],
    permissions,
    permitted: new Map([[KEY, { version: 2, state: 'revoked' }]]),
  };

  it('is kept where no later record carries the purpose', () => {
    expect(said({ ...base, partnerFeed: [onFeed(1, 0), empty] })).toEqual([]);
  });

  it('is broken by one that does, whatever came before and after it', () => {
    expect(said({ ...base, partnerFeed: [onFeed(1, 0), onFeed(2, 1), empty] })).toEqual(['revoked-and-sent']);
  });

  it('is broken although a permission from before it had no answer: such a one is refused', () => {
    const earlier = done(3, { kind: 'grant', purpose: 'recommendation' }, 'info', {}, 35);
    const partnerFeed = [onFeed(1, 0), onFeed(2, 1), empty];
    expect(said({ ...base, operations: [...base.operations, earlier], partnerFeed })).toContain('revoked-and-sent');
  });

  it('is not broken after a new permission, nor where one may have come to pass', () => {
    for (const outcome of ['ok', 'info'] as const) {
      const granted = done(
        5,
        { kind: 'grant', purpose: 'recommendation' },
        outcome,
        outcome === 'ok' ? { version: 3 } : {},
        500,
      );
      const feed = [onFeed(1, 0), onFeed(2, 1)];
      const over = {
        operations: [...base.operations, granted],
        permissions: [...permissions, permission(3, 'granted')],
        permitted: new Map([[KEY, { version: 3, state: 'granted' }]]),
      };
      expect(said({ ...over, partnerFeed: feed })).toEqual([]);
      const before = feed.map((one) => ({ ...one, at: 400 }));
      expect(said({ ...over, partnerFeed: before })).toEqual(['revoked-and-sent']);
    }
  });
});
