import { describe, expect, it } from 'vitest';
import { faultsOf, SHORT } from '../plan/faults.js';
import type { Told } from '../history.js';
import { tooLittle } from './enough.check.js';
import { done, goodRun } from './history.example.js';

describe('a run', () => {
  it('in which little happened is none', () => {
    const kinds = tooLittle(goodRun().operations, [], { from: 0, until: 0 }, 100).map(({ what }) => what);
    expect(kinds).toContain('3 operations were acknowledged, of 100 wanted');
    expect(kinds).toContain('no fault database-restart');
    expect(kinds).toContain('nothing happened at the point before-mark');
    expect(kinds).toContain('nobody met kill');
    expect(kinds).toContain('the feed was looked at after too few revocations');
    expect(kinds).toContain('0 operations were acknowledged while things broke, of 100 wanted');
  });

  it('with everything in it is enough', () => {
    const operations = (['register', 'grant', 'revoke', 'change'] as const).flatMap((kind) =>
      [1, 2, 3].map((id) =>
        done(id, { kind, attribute: 'email', purpose: 'recommendation' } as never, 'ok', { feedEnds: {}, lookedMs: 9 }),
      ),
    );
    const withdrawals = [1, 2, 3].map((id) => done(id, { kind: 'withdraw', attribute: 'email' } as never, 'ok'));
    const faults = faultsOf(1, 0, SHORT).map((fault) => ({ fault }));
    const all = [...operations, ...withdrawals];
    expect(tooLittle(all, faults, { from: 0, until: 1_000 }, 20)).toEqual([]);
    const looked = (told: Told) => all.map((one) => ({ ...one, told: { ...one.told, ...told } }));
    for (const told of [{ lookedMs: 2_000 }, { feedEnds: undefined as never }])
      expect(tooLittle(looked(told), faults, { from: 0, until: 1_000 }, 20)).toHaveLength(1);
  });
});
