import { describe, expect, it } from 'vitest';
import { MAILS_AT_ONCE } from '../../../../apps/notifications/src/mail/mail-worker.js';
import { check } from './check.js';
import {
  ATTRIBUTES,
  came,
  done,
  goodRun,
  mailOf,
  NOTIFIED,
  onNotified,
  PARTNER,
  STARTED,
  UNINTERRUPTED,
  WELCOME,
} from './history.example.js';
import { AT_ONCE } from './mails.check.js';
import type { Mail, Observed } from './observed.js';

const said = (over: Partial<Observed>): string[] => check(goodRun(over)).map(({ kind }) => kind);
const letters = (started: number) =>
  new Map([
    ['mail of welcome', came(1)],
    ['mail of started', came(started)],
  ]);
const left = (times: number) => ({ ...UNINTERRUPTED, left: times });
const cutOff = (times: number) => ({ ...UNINTERRUPTED, cutOff: times });
const started = (over: Partial<Mail>) => [mailOf('welcome'), mailOf('started', over)];

it('a worker sends as many at once as the service does', () => {
  expect(AT_ONCE).toBe(MAILS_AT_ONCE);
});

describe('a notice', () => {
  it('becomes a mail', () => {
    expect(said({ mails: [mailOf('welcome')], letters: new Map([['mail of welcome', came(1)]]) })).toEqual(['lost']);
  });

  it.each(['failed', 'expired', 'cancelled'])('does not end %s', (status) => {
    expect(said({ mails: started({ status }) })).toEqual(['lost']);
  });

  it.each(['waiting', 'queued', 'sending'])('does not stay %s', (status) => {
    expect(said({ mails: started({ status }) })).toEqual(['stuck']);
  });

  it('may be in the hands of a worker', () => {
    expect(said({ mails: started({ status: 'sending', isClaimed: true }) })).toEqual([]);
  });

  it('may be in them once, and once more for each time that one let it fall', () => {
    const claimed = (attempts: number, forgot: number) =>
      said({
        mails: started({ status: 'sending', isClaimed: true, attempts }),
        interruptions: { ...UNINTERRUPTED, forgot },
      });
    expect(claimed(2, 0)).toEqual(['stuck']);
    expect(claimed(2, 1)).toEqual([]);
    expect(claimed(3, 1)).toEqual(['stuck']);
  });

  it('is one of five in the hands of each worker, or left in those of each that let them fall lately', () => {
    const claimed = (count: number, forgotLately: number) => {
      const others = Array.from({ length: count }, (_, nth) => ({ ...STARTED, notice: `other ${nth}` }));
      return said({
        notices: [...goodRun().notices, ...others],
        mails: [
          ...goodRun().mails,
          ...others.map(({ notice }) => mailOf(notice, { status: 'sending', isClaimed: true })),
        ],
        interruptions: { ...UNINTERRUPTED, forgot: 9, forgotLately },
      });
    };
    expect(claimed(10, 0)).not.toContain('stuck');
    expect(claimed(11, 0)).toContain('stuck');
    expect(claimed(15, 1)).not.toContain('stuck');
    expect(claimed(16, 1)).toContain('stuck');
  });

  it('may be in doubt where its send was cut off, and wait then to go once more', () => {
    const interruptions = cutOff(1);
    for (const status of ['in-doubt', 'queued']) {
      const mails = started({ status, isInDoubt: true });
      expect(said({ mails, interruptions }), status).toEqual([]);
      // Whether it came, nobody can know.
      expect(said({ mails, interruptions, letters: new Map([['mail of welcome', came(1)]]) }), status).toEqual([]);
    }
    expect(said({ mails: started({ status: 'sending', isInDoubt: true }), interruptions })).toEqual(['stuck']);
  });

  it('is not in doubt where no send was cut off, though it was sent in the end', () => {
    for (const status of ['in-doubt', 'queued', 'sent'])
      expect(said({ mails: started({ status, isInDoubt: true }) }), status).toEqual(['wrong']);
    expect(said({ mails: started({ status: 'in-doubt', isInDoubt: true }), interruptions: left(1) })).toEqual([
      'wrong',
    ]);
  });

  it('may be one of five that are in doubt together, and no more; those of an earlier run do not count', () => {
    const inDoubt = (count: number): Partial<Observed> => {
      const others = Array.from({ length: count }, (_, nth) => ({ ...STARTED, notice: `other ${nth}` }));
      return {
        notices: [...goodRun().notices, ...others],
        mails: [
          ...goodRun().mails,
          ...others.map(({ notice }) => mailOf(notice, { status: 'in-doubt', isInDoubt: true })),
          mailOf('of before', { subject: 'of before', status: 'in-doubt', isInDoubt: true }),
        ],
        interruptions: cutOff(1),
      };
    };
    expect(said(inDoubt(5))).not.toContain('wrong');
    expect(said(inDoubt(6))).toContain('wrong');
  });

  it('goes nowhere only where its customer took the address away', () => {
    const mails = started({ status: 'no-address' });
    expect(said({ mails })).toEqual(['lost']);
    const operations = [...goodRun().operations, done(4, { kind: 'withdraw', attribute: 'email' }, 'info')];
    expect(said({ mails, operations })).toEqual([]);
  });
});

describe('a mail of a notice', () => {
  it('is made in the order in which its customer was told first', () => {
    const mails = [mailOf('started'), mailOf('welcome')];
    expect(said({ mails })).toEqual(['reordered']);
    expect(said({ mails, notices: [STARTED, WELCOME] })).toEqual([]);
    expect(said({ notices: [WELCOME, STARTED, WELCOME] })).toEqual([]);
  });

  it('is asked for', () => {
    const mails = [...started({}), mailOf('other', { status: 'queued', isClaimed: true })];
    expect(said({ mails })).toEqual(['invented']);
    // Of an earlier run.
    expect(said({ mails: [...started({}), mailOf('other', { subject: 'of another' })] })).toEqual([]);
  });

  it('goes to an address of its customer', () => {
    const ofAnother = { ...done(8, { kind: 'change', attribute: 'email' }, 'info'), customer: 'another' };
    const operations = [...goodRun().operations, ofAnother];
    const sentTo = (writer: number) =>
      said({
        operations,
        letters: new Map([...letters(1), ['mail of started', [`${PARTNER}-${writer}@faults.example`]]]),
      });
    expect(sentTo(1)).toEqual([]);
    expect(sentTo(8)).toEqual(['wrong']);
    expect(sentTo(9)).toEqual(['wrong']);
  });
});

it('a letter does not go to an address that had been replaced before its mail was made', () => {
  const old = `${PARTNER}-1@faults.example`;
  const step = (after: number, at: number) => ({ place: 'subjects', key: NOTIFIED, before: after - 1, after, at });
  const saidOf = (createdAt: number, address = old) =>
    check(
      goodRun({
        notificationsFeed: [
          onNotified(1, 0, { values: { companyName: `${PARTNER}-1`, email: old } }),
          onNotified(2, 1),
        ],
        subjects: new Map([[NOTIFIED, 2]]),
        trail: [step(1, 1_000), step(2, 2_000)],
        mails: started({ createdAt }),
        letters: new Map([...letters(1), ['mail of started', [address]]]),
      }),
    ).map(({ kind, what }) => `${kind}: ${what}`);
  expect(saidOf(62_001)).toEqual([
    expect.stringMatching(/^wrong: the mail mail of started .* another was known before/),
  ]);
  // The transaction that replaces it may be under way for as long.
  expect(saidOf(62_000)).toEqual([]);
  expect(saidOf(62_001, ATTRIBUTES.email)).toEqual([]);
});

describe('a mail', () => {
  it('that is sent came to the mail server', () => {
    expect(said({ letters: new Map([['mail of welcome', came(1)]]) })).toEqual(['lost']);
  });

  it('goes once', () => {
    expect(said({ mails: started({ attempts: 2 }), letters: letters(2) })).toContain('duplicated');
  });

  it('may go twice where who sent it was interrupted, but not without a further attempt', () => {
    expect(said({ mails: started({ attempts: 2 }), letters: letters(2), interruptions: left(1) })).toEqual([]);
    expect(said({ letters: letters(2), interruptions: left(1) })).toEqual(['duplicated']);
    expect(said({ mails: started({ attempts: 3 }), letters: letters(3), interruptions: left(1) })).toEqual([
      'duplicated',
    ]);
  });

  it.each(['in-doubt', 'sent', 'queued'])('may come once more where it is a notice in doubt, and is %s', (status) => {
    const twice = { status, isInDoubt: true, attempts: 2 };
    const interruptions = cutOff(1);
    const saidOf = (over: Partial<Mail>, count: number) =>
      said({ mails: started({ ...twice, ...over }), letters: letters(count), interruptions });
    expect(saidOf({}, 2)).toEqual([]);
    expect(saidOf({ attempts: 1 }, 2)).toEqual(['duplicated']);
    expect(saidOf({ attempts: 3 }, 3)).toContain('duplicated');
  });

  it('does not come once more where it is a mailing in doubt', () => {
    const mailing = mailOf('news', { notice: null, status: 'in-doubt', isInDoubt: true, attempts: 2 });
    const mails = [...goodRun().mails, mailing];
    expect(said({ mails, letters: new Map([...letters(1), [mailing.id, came(1)]]) })).toEqual([]);
    expect(said({ mails, letters: new Map([...letters(1), [mailing.id, came(2)]]) })).toContain('duplicated');
  });

  it('may be one of five that go twice together, and no more', () => {
    const many = (count: number): Partial<Observed> => {
      const others = Array.from({ length: count }, (_, nth) => mailOf(`other ${nth}`, { notice: null, attempts: 2 }));
      return {
        mails: [...goodRun().mails, ...others],
        letters: new Map([...letters(1), ...others.map(({ id }) => [id, came(2)] as const)]),
        interruptions: left(1),
      };
    };
    expect(said(many(5))).toEqual([]);
    expect(said(many(6))).toEqual(['duplicated']);
  });

  it('is one of ours', () => {
    expect(said({ letters: new Map([...letters(1), ['other', came(1)]]) })).toEqual(['invented']);
  });
});
