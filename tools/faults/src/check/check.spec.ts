import { describe, expect, it } from 'vitest';
import { faultsOf, SHORT } from '../plan/faults.js';
import { check } from './check.js';
import { tooLittle } from './enough.check.js';
import { ATTRIBUTES, CUSTOMER, done, goodRun, KEY, onFeed, PARTNER, record, SUBJECT } from './history.example.js';
import type { Told } from '../history.js';
import type { Observed } from './observed.js';

const said = (over: Partial<Observed>): string[] => [...new Set(check(goodRun(over)).map(({ kind }) => kind))];

it('says nothing of a run in which all went well', () => {
  expect(check(goodRun())).toEqual([]);
});

describe('lost is', () => {
  it('an acknowledged change that is not on its topic, and gone from the outbox', () => {
    expect(said({ profiles: [record(CUSTOMER, 2, 1)] })).toEqual(['lost']);
    expect(said({ permissions: [] })).toEqual(['lost']);
  });

  it('a version that is on no topic although nobody was told of it', () => {
    const finals = new Map([[CUSTOMER, { version: 3, attributes: ATTRIBUTES }]]);
    const unanswered = done(4, { kind: 'change', attribute: 'email' }, 'info');
    const operations = [...goodRun().operations, unanswered];
    expect(said({ finals, operations })).toEqual(['lost']);
    const profiles = [...goodRun().profiles, record(CUSTOMER, 3, 2)];
    expect(said({ finals, operations, profiles, copies: new Map([[CUSTOMER, 3]]) })).toEqual([]);
    expect(said({ permitted: new Map([[KEY, 2]]) })).toEqual(['lost']);
  });

  it('an acknowledged value that is gone', () => {
    const { email: _, ...attributes } = ATTRIBUTES;
    const finals = new Map([[CUSTOMER, { version: 2, attributes }]]);
    const { companyName } = attributes;
    const feed = [onFeed(1, 0, { values: { companyName }, purposes: { companyName: ['recommendation'] } })];
    expect(said({ finals, partnerFeed: feed })).toEqual(['lost']);
    // Perhaps by the one that had no answer.
    const withdrawn = done(4, { kind: 'withdraw', attribute: 'email' } as never, 'info');
    expect(said({ finals, partnerFeed: feed, operations: [...goodRun().operations, withdrawn] })).toEqual([]);
  });

  it('a record that its consumer passed over', () => {
    const profiles = [record(CUSTOMER, 1, 0), record(CUSTOMER, 2, 1), record('other', 1, 2)];
    const operations = [
      ...goodRun().operations,
      { ...done(9, { kind: 'register' }, 'ok', { version: 1 }), customer: 'other' },
    ];
    expect(
      said({
        profiles,
        operations,
        copies: new Map([
          [CUSTOMER, 1],
          ['other', 1],
        ]),
      }),
    ).toEqual(['lost']);
  });

  it('a feed that does not end with what is permitted', () => {
    expect(said({ partnerFeed: [] })).toEqual(['lost']);
    const old = onFeed(1, 0, { values: { companyName: `${PARTNER}-1`, email: `${PARTNER}-1@faults.example` } });
    expect(said({ partnerFeed: [old] })).toEqual(['lost']);
  });

  it('a notice of which no mail was made', () => {
    expect(said({ mails: new Set() })).toEqual(['lost']);
  });

  it('an acknowledged change that an older one overwrote', () => {
    const operations = [
      done(1, { kind: 'register' }, 'ok', { version: 1 }),
      done(2, { kind: 'change', attribute: 'email' }, 'ok', { version: 2 }),
      done(4, { kind: 'change', attribute: 'email' }, 'ok', { version: 3 }),
    ];
    const profiles = [1, 2, 3].map((version) => record(CUSTOMER, version, version));
    const finals = new Map([[CUSTOMER, { version: 3, attributes: ATTRIBUTES }]]);
    expect(
      said({ operations, profiles, finals, permissions: [], partnerFeed: [], copies: new Map([[CUSTOMER, 3]]) }),
    ).toEqual(['lost']);
    const back = new Map([[CUSTOMER, { version: 2, attributes: {} }]]);
    expect(
      said({ operations, profiles, finals: back, permissions: [], partnerFeed: [], copies: new Map([[CUSTOMER, 2]]) }),
    ).toContain('lost');
  });
});

describe('stuck is', () => {
  it('what waits in an outbox, or has not come to rest', () => {
    expect(said({ profiles: [record(CUSTOMER, 2, 1)], unsent: new Set(['customer-profiles']) })).toEqual(['stuck']);
    expect(said({ unsettled: ['something waits'] })).toEqual(['stuck']);
  });

  it('the end of a topic that its consumer has not reached', () => {
    expect(said({ copies: new Map([[CUSTOMER, 1]]) })).toEqual(['stuck']);
  });

  it('a withdrawal that nobody confirms', () => {
    const withdrawals = [{ id: 'w', about: 'obligation' }];
    expect(said({ withdrawals, obligations: new Map([['obligation', 'open']]) })).toEqual(['stuck']);
    expect(said({ withdrawals, obligations: new Map([['obligation', 'confirmed']]) })).toEqual([]);
  });
});

describe('duplicated is', () => {
  it('a version that two events say; a copy of the same event is not', () => {
    const good = goodRun().profiles;
    expect(said({ profiles: [...good, record(CUSTOMER, 2, 2, 'another event')] })).toEqual(['duplicated']);
    expect(said({ profiles: [...good, record(CUSTOMER, 2, 2)] })).toEqual([]);
  });

  it('anything that stands on a feed twice', () => {
    expect(said({ partnerFeed: [onFeed(1, 0), onFeed(1, 1)] })).toEqual(['duplicated']);
    expect(said({ partnerFeed: [onFeed(1, 0), onFeed(2, 1, { id: 'feed@1' })] })).toEqual(['duplicated']);
  });

  it('an obligation that was confirmed by two events', () => {
    const twice = [
      { id: 'one', about: 'obligation' },
      { id: 'other', about: 'obligation' },
    ];
    expect(said({ confirmations: twice })).toEqual(['duplicated']);
    expect(said({ confirmations: [twice[0]!, twice[0]!] })).toEqual([]);
  });
});

describe('reordered is', () => {
  it('a version that comes first after a newer one did', () => {
    expect(said({ profiles: [record(CUSTOMER, 2, 0), record(CUSTOMER, 1, 1)] })).toContain('reordered');
    expect(said({ partnerFeed: [onFeed(2, 0), onFeed(1, 1)] })).toContain('reordered');
  });

  it('a state that went back, also where it came forward again', () => {
    const trail = [
      { place: 'customers', key: CUSTOMER, before: 2, after: 1 },
      { place: 'customers', key: CUSTOMER, before: 1, after: 2 },
    ];
    expect(said({ trail })).toEqual(['reordered']);
  });
});

it('a late copy that compaction would keep is told, where we did not put it there', () => {
  const profiles = [record(CUSTOMER, 1, 0), record(CUSTOMER, 2, 1), record(CUSTOMER, 1, 2)];
  expect(said({ profiles })).toEqual(['stale-last']);
  expect(said({ profiles, copied: { ids: new Set(), keys: new Set([CUSTOMER]) } })).toEqual([]);
});

describe('invented is', () => {
  it('more than anybody asked for', () => {
    expect(said({ profiles: [...goodRun().profiles, record(CUSTOMER, 3, 2)] })).toContain('invented');
    expect(said({ strangers: ['somebody'] })).toEqual(['invented']);
  });

  it('nothing that an unanswered question may have made', () => {
    const operations = [...goodRun().operations, done(8, { kind: 'change', attribute: 'email' }, 'info')];
    const email = `${PARTNER}-8@faults.example`;
    const finals = new Map([[CUSTOMER, { version: 3, attributes: { ...ATTRIBUTES, email } }]]);
    const profiles = [...goodRun().profiles, record(CUSTOMER, 3, 2)];
    const partnerFeed = [onFeed(1, 0), onFeed(2, 1, { values: { companyName: `${PARTNER}-1`, email } })];
    expect(said({ operations, finals, profiles, partnerFeed, copies: new Map([[CUSTOMER, 3]]) })).toEqual([]);
  });

  it('a value on a feed that nobody wrote to that attribute', () => {
    const partnerFeed = [onFeed(1, 0, { values: { companyName: `${PARTNER}-2`, email: 'x' } }), onFeed(2, 1)];
    expect(said({ partnerFeed })).toEqual(['invented']);
  });
});

describe('a revocation that was answered', () => {
  const revoked = done(4, { kind: 'revoke', purpose: 'recommendation' }, 'ok', { version: 2, feedEnds: { 0: '1' } });
  const permissions = [1, 2].map((version) => ({
    ...record(KEY, version, version),
    state: version === 1 ? 'granted' : 'revoked',
  }));
  const empty = onFeed(3, 5, { values: {}, purposes: {} });
  const base = { operations: [...goodRun().operations, revoked], permissions, permitted: new Map([[KEY, 2]]) };

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
      const again = { ...record(KEY, 3, 3), state: 'granted' };
      const feed = [onFeed(1, 0), onFeed(2, 1)];
      expect(
        said({ operations: [...base.operations, granted], permissions: [...permissions, again], partnerFeed: feed }),
      ).toEqual([]);
      const before = feed.map((one) => ({ ...one, at: 400 }));
      expect(
        said({ operations: [...base.operations, granted], permissions: [...permissions, again], partnerFeed: before }),
      ).toEqual(['revoked-and-sent']);
    }
  });
});

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

it('what is told of a permission is what was asked for', () => {
  expect(said({ permissions: [{ ...record(KEY, 1, 0), state: 'revoked' }] })).toEqual(['wrong']);
});

it('parked messages are wrong: nothing that users do here is broken', () => {
  expect(said({ parked: 1 })).toEqual(['wrong']);
});

it('notifications goes with its own feed', () => {
  const notificationsFeed = [onFeed(1, 0)];
  expect(said({ notificationsFeed, subjects: new Map([[SUBJECT, 1]]) })).toEqual([]);
  expect(said({ notificationsFeed, subjects: new Map() })).toEqual(['stuck']);
  const old = [onFeed(1, 0, { values: { email: `${PARTNER}-1@faults.example` } })];
  expect(said({ notificationsFeed: old, subjects: new Map([[SUBJECT, 1]]) })).toEqual(['lost']);
});
