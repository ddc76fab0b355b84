import { describe, expect, it } from 'vitest';
import { faultsOf, SHORT } from '../plan/faults.js';
import type { Done, Outcome } from '../history.js';
import { acknowledgedMeanwhile, tooLittle } from './enough.check.js';
import { came, done, goodRun, mailOf, WELCOME } from './history.example.js';
import type { Observed } from './observed.js';

describe('a run', () => {
  it('in which little happened is none', () => {
    const kinds = tooLittle(goodRun({ mails: [] }), [], 100).map(({ what }) => what);
    expect(kinds).toContain('3 operations were acknowledged, of 100 wanted');
    expect(kinds).toContain('0 operations were acknowledged while things broke, of 100 wanted');
    expect(kinds).toContain('fewer than 3 operations revoke were acknowledged');
    expect(kinds).toContain('0 mails were sent, and came to the mail server');
  });

  it('counts as meanwhile what was under way while a fault was, and nothing in between', () => {
    const [fault] = faultsOf(1, 0, SHORT);
    const faults = [100, 300].map((from) => ({ fault: fault!, from, until: from + 100 }));
    const at = (invoked: number, outcome: Outcome = 'ok') => done(1, { kind: 'register' }, outcome, {}, invoked);
    const count = (...operations: readonly Done[]) => acknowledgedMeanwhile(operations, faults);
    expect(count(at(98), at(150), at(200), at(350))).toBe(4);
    expect(count(at(90), at(210), at(410), at(150, 'info'))).toBe(0);
  });

  /** So many of each kind, and of mails; an end of an agreement less often. */
  const everything = (
    count: number,
    terminated = count,
  ): Pick<Observed, 'operations' | 'notices' | 'mails' | 'letters'> => {
    const ids = Array.from({ length: count }, (_, nth) => nth + 1);
    const kinds = ['register', 'grant', 'revoke', 'change', 'withdraw', 'cancel', 'terminate'] as const;
    const operations = kinds.flatMap((kind) =>
      ids
        .slice(0, kind === 'terminate' ? terminated : count)
        .map((id) =>
          done(id, { kind, attribute: 'email', purpose: 'recommendation' } as never, 'ok', { answered: 10_100 }),
        ),
    );
    const notices = ids.map((id) => ({ ...WELCOME, notice: `${id}` }));
    const mails = notices.map(({ notice }) => mailOf(notice));
    return { operations, notices, mails, letters: new Map(mails.map(({ id }) => [id, came(1)])) };
  };
  const faults = faultsOf(1, 0, SHORT).map((fault) => ({ fault, from: 0, until: 10_000 }));
  const little = (of: ReturnType<typeof everything>, wanted = 20) =>
    tooLittle(of, faults, wanted).map(({ what }) => what);

  it('with everything in it is enough', () => {
    expect(little(everything(3))).toEqual([]);
  });

  it('is longer with more of each kind, but for agreements, of which each user ends one', () => {
    expect(little(everything(4, 3), 400)).not.toContain('fewer than 4 operations cancel were acknowledged');
    const few = little(everything(3), 400).filter((what) => what.startsWith('fewer than 4'));
    expect(few).toEqual(
      ['register', 'change', 'withdraw', 'grant', 'revoke', 'cancel'].map(
        (kind) => `fewer than 4 operations ${kind} were acknowledged`,
      ),
    );
  });

  it('is none where no mail came to the mail server', () => {
    const { mails, ...others } = everything(4);
    const unsent = mails.map((mail) => ({ ...mail, status: 'in-doubt' }));
    expect(little({ ...others, mails: unsent })).toEqual(['0 mails were sent, and came to the mail server']);
    expect(little({ ...others, mails, letters: new Map() })).toEqual([
      '0 mails were sent, and came to the mail server',
    ]);
    // Of a longer run there are more of them.
    expect(little({ ...others, mails: mails.slice(1) }, 400)).toContain(
      '3 mails were sent, and came to the mail server',
    );
  });
});
