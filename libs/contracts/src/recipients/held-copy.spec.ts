import { describe, expect, it } from 'vitest';
import type { DataOf } from '../event.js';
import { withdrawalDue } from './duties.events.js';
import { feedRecord } from './feed-record.event.js';
import {
  afterRecord,
  afterTombstone,
  afterWithdrawal,
  holdsAnything,
  NOTHING_HELD,
  usableValue,
  type HeldCopy,
} from './held-copy.js';

const record = (
  version: number,
  attributes: DataOf<typeof feedRecord>['attributes'] = feedRecord.example.attributes,
) => ({
  ...feedRecord.example,
  version,
  attributes,
});
const duty = (version: number, rest: Partial<DataOf<typeof withdrawalDue>> = {}) => ({
  ...withdrawalDue.example,
  version,
  ...rest,
});
const after = (copy: HeldCopy, version: number, attributes?: DataOf<typeof feedRecord>['attributes']): HeldCopy => {
  const next = afterRecord(copy, record(version, attributes));
  if (next === undefined) throw new Error('stale');
  return next;
};

describe('a copy of a feed', () => {
  it('is replaced by a record as a whole: what is missing is gone', () => {
    const copy = after(after(NOTHING_HELD, 1), 2, {});
    expect(holdsAnything(copy)).toBe(false);
  });

  it('refuses to go back', () => {
    const copy = after(NOTHING_HELD, 3);
    expect(afterRecord(copy, record(3))).toBeUndefined();
    expect(afterRecord(copy, record(2))).toBeUndefined();
  });

  it('is not revived by a late record once a withdrawal was told', () => {
    const copy = afterWithdrawal(after(NOTHING_HELD, 1), duty(3));
    expect(holdsAnything(copy)).toBe(false);
    expect(afterRecord(copy, record(2))).toBeUndefined();
    expect(afterRecord(copy, record(3, {}))).toMatchObject({ version: 3, attributes: {} });
  });

  it('keeps what was given anew after the withdrawal that a late duty tells of', () => {
    const copy = after(NOTHING_HELD, 4);
    expect(afterWithdrawal(copy, duty(3))).toBe(copy);
  });

  it('loses only the attributes that a narrowing names', () => {
    const both = {
      ...feedRecord.example.attributes,
      email: { value: 'a@b.example', purposes: [{ purpose: 'recommendation', ground: 'permission' }], opening: 'AA' },
    } as const;
    const copy = afterWithdrawal(
      after(NOTHING_HELD, 1, { ...both, email: { ...both.email, purposes: [...both.email.purposes] } }),
      duty(2, { complete: false, attributes: ['companyName'] }),
    );
    expect(Object.keys(copy.attributes)).toEqual(['email']);
  });

  it('keeps what stays for another purpose, and no longer uses it for the one that ended', () => {
    const email = {
      value: 'a@b.example',
      purposes: [
        { purpose: 'notices', ground: 'own-purpose' },
        { purpose: 'mailing', ground: 'permission' },
      ],
      opening: 'AA',
    } satisfies DataOf<typeof feedRecord>['attributes']['email'];
    const mailed: HeldCopy = { ...after(NOTHING_HELD, 1, { email }), mailing: 'allowed' };
    const purposes = [{ purpose: 'mailing' as const, attributes: ['email' as const, 'phone' as const] }];
    const copy = afterWithdrawal(mailed, duty(2, { complete: false, attributes: [], purposes }));
    expect(usableValue(copy, 'email', 'mailing')).toBeUndefined();
    expect(usableValue(copy, 'email', 'notices')).toBe('a@b.example');
    expect(copy).toMatchObject({ mailing: 'stopped', floor: 2 });
    expect(usableValue(mailed, 'email', 'mailing')).toBe('a@b.example');
  });

  it('holds nothing after a tombstone, and an older record brings nothing back', () => {
    const copy = afterTombstone(after(NOTHING_HELD, 5));
    expect(holdsAnything(copy)).toBe(false);
    expect(afterRecord(copy, record(4))).toBeUndefined();
    expect(afterRecord(copy, record(5))).toMatchObject({ version: 5, deleted: false });
  });

  it('keeps a disputed value and does not use it', () => {
    const before = after(NOTHING_HELD, 1);
    expect(usableValue(before, 'companyName', 'recommendation')).toBe('Example Ltd');
    expect(usableValue(before, 'companyName', 'mailing')).toBeUndefined();
    const { value: _gone, ...disputed } = { ...feedRecord.example.attributes.companyName!, held: 'disputed' as const };
    const held = after(before, 2, { companyName: disputed });
    expect(held.attributes.companyName?.value).toBe('Example Ltd');
    expect(usableValue(held, 'companyName', 'recommendation')).toBeUndefined();
  });
});
