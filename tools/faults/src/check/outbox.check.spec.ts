import { describe, expect, it } from 'vitest';
import { check } from './check.js';
import { goodRun } from './history.example.js';
import type { Committed, Delivered, Observed } from './observed.js';

const TOPIC = 'duties.notifications.v1';
const event = (n: number, over: Partial<Committed> = {}): Committed => ({
  service: 'partner-sharing',
  order: n,
  id: `event-${n}`,
  topic: TOPIC,
  key: 'subject-1',
  ...over,
});
const on = (n: number, offset: number, over: Partial<Delivered> = {}): Delivered => ({
  ...event(n),
  partition: 0,
  offset,
  isCopy: false,
  ...over,
});

const said = (committed: readonly Committed[], delivered: readonly Delivered[], over: Partial<Observed> = {}) => {
  const good = goodRun(over);
  const all = { committed: [...good.committed, ...committed], delivered: [...good.delivered, ...delivered] };
  return check({ ...good, ...all }).map(({ kind }) => kind);
};

describe('of what was committed to an outbox', () => {
  const both = [event(1), event(2)];

  it('all stands on its topic, as often as it likes', () => {
    expect(said(both, [on(1, 0), on(2, 1), on(1, 2)])).toEqual([]);
  });

  it('nothing may be missing, whatever else is there', () => {
    expect(said(both, [on(2, 1)])).toEqual(['lost']);
    expect(said(both, [on(2, 1)], { unsent: new Set(['partner-sharing']) })).toEqual(['stuck']);
  });

  it('nothing may be on another topic, or under another key', () => {
    expect(said(both, [on(1, 0), on(2, 1, { topic: 'duties.other.v1' })])).toEqual(['lost', 'invented']);
    expect(said(both, [on(1, 0), on(2, 1, { key: 'subject-2' })])).toEqual(['lost', 'invented']);
  });

  it('the first deliveries of a key are in order; those of different keys need not be', () => {
    expect(said(both, [on(2, 0), on(1, 1)])).toEqual(['reordered']);
    expect(said([event(1), event(2, { key: 'other' })], [on(2, 0, { key: 'other' }), on(1, 1)])).toEqual([]);
  });

  it('a key is on one partition', () => {
    expect(said(both, [on(1, 7), on(2, 0, { partition: 2 })])).toEqual(['reordered']);
  });
});

it('nothing is on a topic that was not committed', () => {
  expect(said([], [on(1, 0)])).toEqual(['invented']);
});
