import { expect, it } from 'vitest';
import { goodRun } from './history.example.js';
import { checkLedger } from './ledger.check.js';
import type { Announcement, Observed } from './observed.js';

const entries = [3, 4, 5].map((index) => ({ index, id: `entry-${index}`, recipient: 'northern' }));
const announced = (index: number, offset: number, over: Partial<Announcement> = {}): Announcement => ({
  topic: 'sharing.disclosures.v1',
  partition: 0,
  offset,
  key: 'northern',
  id: `event-${index}`,
  isCopy: false,
  index,
  entry: `entry-${index}`,
  ...over,
});
const said = (announcements: readonly Announcement[], over: Partial<Observed> = {}) =>
  checkLedger({ ...goodRun(), entries, announcements, ...over }).map(({ kind }) => kind);
const all = [announced(3, 0), announced(4, 1), announced(5, 2)];

it('every entry of the ledger is announced, in its order', () => {
  expect(said(all)).toEqual([]);
  // The same event twice, as a relay sends it that heard no answer.
  expect(said([...all, announced(4, 3)])).toEqual([]);
  expect(said([announced(3, 0), announced(5, 1)])).toEqual(['lost']);
  expect(said([announced(3, 0), announced(5, 1)], { unsent: new Set(['partner-sharing']) })).toEqual(['stuck']);
  expect(said([announced(3, 0), announced(5, 1), announced(4, 2)])).toEqual(['reordered']);
});

it('no entry is announced by two events, or by one that says something else of it', () => {
  expect(said([...all, announced(5, 3, { id: 'another' })])).toEqual(['duplicated']);
  expect(said([...all, announced(6, 3)])).toEqual(['invented']);
  expect(said([announced(3, 0), announced(4, 1), announced(5, 2, { key: 'southern' })])).toEqual(['lost', 'invented']);
});
