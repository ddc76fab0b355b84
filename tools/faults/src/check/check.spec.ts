import { describe, expect, it } from 'vitest';
import { check } from './check.js';
import {
  ATTRIBUTES,
  came,
  CUSTOMER,
  done,
  goodRun,
  mailOf,
  KEY,
  onFeed,
  PARTNER,
  WELCOME,
  record,
  onNotified,
} from './history.example.js';
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
    const granted = done(4, { kind: 'grant', purpose: 'recommendation' }, 'info');
    const permitted = new Map([[KEY, { version: 2, state: 'granted' }]]);
    expect(said({ permitted, operations: [...goodRun().operations, granted] })).toEqual(['lost']);
  });

  it('an acknowledged value that is gone', () => {
    const { email: _, ...attributes } = ATTRIBUTES;
    const finals = new Map([[CUSTOMER, { version: 2, attributes }]]);
    const { companyName } = attributes;
    const feed = [onFeed(1, 0, { values: { companyName }, purposes: { companyName: ['recommendation'] } })];
    const notificationsFeed = [onNotified(1, 0, { values: { companyName } })];
    expect(said({ finals, partnerFeed: feed, notificationsFeed })).toEqual(['lost']);
    // Perhaps by the one that had no answer.
    const withdrawn = done(4, { kind: 'withdraw', attribute: 'email' } as never, 'info');
    const operations = [...goodRun().operations, withdrawn];
    expect(said({ finals, partnerFeed: feed, notificationsFeed, operations })).toEqual([]);
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

  it('an acknowledged change that an older one overwrote', () => {
    const operations = [
      done(1, { kind: 'register' }, 'ok', { version: 1 }),
      done(2, { kind: 'change', attribute: 'email' }, 'ok', { version: 2 }),
      done(4, { kind: 'change', attribute: 'email' }, 'ok', { version: 3 }),
    ];
    const profiles = [1, 2, 3].map((version) => record(CUSTOMER, version, version));
    const welcome = mailOf('welcome');
    const unshared = { notices: [WELCOME], mails: [welcome], letters: new Map([[welcome.id, came(1)]]) };
    const ungranted = {
      permissions: [],
      permitted: new Map(),
      partnerFeed: [],
      committed: [],
      delivered: [],
      ...unshared,
    };
    const finals = new Map([[CUSTOMER, { version: 3, attributes: ATTRIBUTES }]]);
    expect(said({ ...ungranted, operations, profiles, finals, copies: new Map([[CUSTOMER, 3]]) })).toEqual(['lost']);
    const back = new Map([[CUSTOMER, { version: 2, attributes: {} }]]);
    expect(said({ ...ungranted, operations, profiles, finals: back, copies: new Map([[CUSTOMER, 2]]) })).toContain(
      'lost',
    );
  });
});

describe('stuck is', () => {
  it('what waits in an outbox, or has not come to rest', () => {
    expect(said({ profiles: [record(CUSTOMER, 2, 1)], unsent: new Set(['customer-profiles']) })).toEqual(['stuck']);
    expect(said({ unsettled: ['something waits'] })).toEqual(['stuck']);
  });

  it('what is missing where a topic was not read to its end', () => {
    const missing = { profiles: [record(CUSTOMER, 2, 1)] };
    expect(said(missing)).toEqual(['lost']);
    expect(said({ ...missing, cutShort: new Set(['customers.profiles.v1']) })).toEqual(['stuck']);
  });

  it('the end of a topic that its consumer has not reached', () => {
    expect(said({ copies: new Map([[CUSTOMER, 1]]) })).toEqual(['stuck']);
    expect(said({ subjects: new Map() })).toEqual(['stuck']);
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
});

describe('reordered is', () => {
  it('a version that comes first after a newer one did', () => {
    expect(said({ profiles: [record(CUSTOMER, 2, 0), record(CUSTOMER, 1, 1)] })).toContain('reordered');
    expect(said({ partnerFeed: [onFeed(2, 0), onFeed(1, 1)] })).toContain('reordered');
  });

  it('a state that went back, also where it came forward again', () => {
    const trail = [
      { place: 'customers', key: CUSTOMER, before: 2, after: 1, at: 30 },
      { place: 'customers', key: CUSTOMER, before: 1, after: 2, at: 40 },
    ];
    expect(said({ trail })).toEqual(['reordered']);
  });
});

it('a late copy that compaction would keep is told, where we did not put it there', () => {
  const good = goodRun().profiles;
  const late = record(CUSTOMER, 1, 3);
  const ours = { ...record(CUSTOMER, 1, 2), isCopy: true };
  expect(said({ profiles: [...good, ours] })).toEqual([]);
  expect(said({ profiles: [...good, late] })).toEqual(['stale-last']);
  expect(said({ profiles: [...good, ours, late] })).toEqual(['stale-last']);
});

describe('invented is', () => {
  it('more than anybody asked for', () => {
    expect(said({ profiles: [...goodRun().profiles, record(CUSTOMER, 3, 2)] })).toContain('invented');
  });

  it('nothing that an unanswered question may have made', () => {
    const operations = [...goodRun().operations, done(8, { kind: 'change', attribute: 'email' }, 'info')];
    const email = `${PARTNER}-8@faults.example`;
    const finals = new Map([[CUSTOMER, { version: 3, attributes: { ...ATTRIBUTES, email } }]]);
    const profiles = [...goodRun().profiles, record(CUSTOMER, 3, 2)];
    const values = { companyName: `${PARTNER}-1`, email };
    const partnerFeed = [onFeed(1, 0), onFeed(2, 1, { values })];
    const notificationsFeed = [onNotified(1, 0, { values })];
    expect(
      said({ operations, finals, profiles, partnerFeed, notificationsFeed, copies: new Map([[CUSTOMER, 3]]) }),
    ).toEqual([]);
  });

  it('a value on a feed that nobody wrote to that attribute', () => {
    const partnerFeed = [onFeed(1, 0, { values: { companyName: `${PARTNER}-2`, email: 'x' } }), onFeed(2, 1)];
    expect(said({ partnerFeed })).toContain('invented');
  });
});

it('parked messages are wrong: nothing that users do here is broken', () => {
  expect(said({ parked: ['notifications parked feed.notifications.v1 2/17@1 failed superseded'] })).toEqual(['wrong']);
});
