import { describe, expect, it } from 'vitest';
import type { Done } from '../history.js';
import { check } from './check.js';
import {
  ATTRIBUTES,
  CUSTOMER,
  done,
  goodRun,
  KEY,
  onFeed,
  onNotified,
  PARTNER,
  permission,
  record,
} from './history.example.js';
import type { Observed } from './observed.js';

const said = (over: Partial<Observed>): string[] => check(goodRun(over)).map(({ kind, what }) => `${kind}: ${what}`);
const [registered, changed, granted] = goodRun().operations as [Done, Done, Done];

describe('an acknowledged permission that was lost', () => {
  const grant = (id: number, version: number) =>
    done(id, { kind: 'grant', purpose: 'recommendation' }, 'ok', { version });
  const revoke = (id: number, version: number) =>
    done(id, { kind: 'revoke', purpose: 'recommendation' }, 'ok', { version, answered: id * 10 });
  const over = (...later: readonly Done[]) => {
    const version = later.at(-1)?.told.version ?? 1;
    return {
      operations: [registered, changed, granted, ...later],
      permissions: [permission(1, 'granted'), permission(2, 'granted')],
      permitted: new Map([[KEY, { version, state: 'granted' }]]),
    };
  };

  it('is told though the next one took its version', () => {
    expect(said(over(revoke(4, 2), grant(5, 2)))).toEqual([
      `lost: revoke 4 of ${KEY} was acknowledged as v2, and grant 5 after it as v2`,
    ]);
  });

  it.each([
    ['a grant that makes no version', [grant(4, 1)]],
    ['a grant below what was told', [revoke(4, 2), grant(5, 1)]],
    ['a revocation of what was granted', [revoke(4, 1)]],
    ['a revocation below what was told', [revoke(4, 2), revoke(5, 1)]],
    [
      'one behind one that was never answered',
      [done(4, { kind: 'revoke', purpose: 'recommendation' }, 'info'), revoke(5, 1)],
    ],
  ])('is told by %s', (_, later) => {
    expect(said(over(...later)).filter((what) => what.includes('was acknowledged as'))).toHaveLength(1);
  });

  it('is none where a revocation was repeated, or another permission has that version', () => {
    const acknowledged = (...later: readonly Done[]) =>
      said(over(...later)).filter((what) => what.includes('was acknowledged as'));
    expect(acknowledged(revoke(4, 2), revoke(5, 2), grant(6, 3), revoke(7, 4))).toEqual([]);
    const other = done(4, { kind: 'grant', purpose: 'recommendation', recipient: 'leaving' }, 'ok', { version: 1 });
    expect(acknowledged(other, revoke(5, 2))).toEqual([]);
  });
});

describe('an acknowledged change that was lost', () => {
  const attributes = { ...ATTRIBUTES, email: `${PARTNER}-5@faults.example` };
  const values = { companyName: attributes.companyName, email: attributes.email };
  const change = (id: number, version: number) => done(id, { kind: 'change', attribute: 'email' }, 'ok', { version });
  const withdraw = (id: number, version: number) =>
    done(id, { kind: 'withdraw', attribute: 'email' }, 'ok', { version });

  it('is told though the next one took its version', () => {
    const operations = [registered, changed, granted, change(5, 2)];
    const over = {
      operations,
      finals: new Map([[CUSTOMER, { version: 2, attributes }]]),
      profiles: [record(CUSTOMER, 1, 0), record(CUSTOMER, 2, 1)],
      partnerFeed: [onFeed(1, 0, { values })],
      notificationsFeed: [onNotified(1, 0, { values })],
    };
    expect(said(over)).toEqual([`lost: change 2 of ${CUSTOMER} was acknowledged as v2, and change 5 after it as v2`]);
  });

  it('is told by a withdrawal that says of what was written that it was not there, and by no other', () => {
    const acknowledged = (...later: readonly Done[]) =>
      said({ operations: [registered, changed, granted, ...later] }).filter((what) =>
        what.includes('was acknowledged as'),
      );
    expect(acknowledged(withdraw(4, 2))).toHaveLength(1);
    expect(acknowledged(withdraw(4, 1))).toHaveLength(1);
    expect(acknowledged(withdraw(4, 3), withdraw(5, 3), change(6, 4))).toEqual([]);
    expect(acknowledged(withdraw(4, 3), withdraw(5, 2))).toHaveLength(1);
  });
});
