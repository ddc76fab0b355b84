import { describe, expect, it } from 'vitest';
import { faultsOf, SHORT } from '../plan/faults.js';
import type { Done, Outcome } from '../history.js';
import { acknowledgedMeanwhile, tooLittle } from './enough.check.js';
import { done, goodRun } from './history.example.js';

describe('a run', () => {
  it('in which little happened is none', () => {
    const kinds = tooLittle(goodRun().operations, [], [], 100).map(({ what }) => what);
    expect(kinds).toContain('3 operations were acknowledged, of 100 wanted');
    expect(kinds).toContain('open transactions were looked for after too few revocations');
    expect(kinds).toContain('0 operations were acknowledged while things broke, of 100 wanted');
  });

  it('counts as meanwhile what was under way while a fault was, and nothing in between', () => {
    const [fault] = faultsOf(1, 0, SHORT);
    const faults = [100, 300].map((from) => ({ fault: fault!, from, until: from + 100 }));
    const at = (invoked: number, outcome: Outcome = 'ok') => done(1, { kind: 'register' }, outcome, {}, invoked);
    const count = (...operations: readonly Done[]) => acknowledgedMeanwhile(operations, faults);
    expect(count(at(98), at(150), at(200), at(350))).toBe(4);
    expect(count(at(90), at(210), at(410), at(150, 'info'))).toBe(0);
  });

  it('with everything in it is enough', () => {
    const operations = (['register', 'grant', 'revoke', 'change', 'cancel', 'terminate'] as const).flatMap((kind) =>
      [1, 2, 3].map((id) =>
        done(id, { kind, attribute: 'email', purpose: 'recommendation' } as never, 'ok', { answered: 100 }),
      ),
    );
    const withdrawals = [1, 2, 3].map((id) => done(id, { kind: 'withdraw', attribute: 'email' } as never, 'ok'));
    const faults = faultsOf(1, 0, SHORT).map((fault) => ({ fault, from: 0, until: 1_000 }));
    const all = [...operations, ...withdrawals];
    const little = (asked: number) => tooLittle(all, faults, [{ asked, since: new Map() }], 20).length;
    expect(little(101)).toBe(0);
    expect(little(99)).toBe(1);
    expect(little(2_101)).toBe(1);
  });
});
