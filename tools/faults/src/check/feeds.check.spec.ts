import { describe, expect, it } from 'vitest';
import { check } from './check.js';
import { ATTRIBUTES, goodRun, onFeed, onNotified, PARTNER } from './history.example.js';
import type { Observed } from './observed.js';

const said = (over: Partial<Observed>): string[] => [...new Set(check(goodRun(over)).map(({ kind }) => kind))];

describe('notifications', () => {
  it('goes with its own feed', () => {
    expect(said({ subjects: new Map() })).toEqual(['stuck']);
  });

  it('ends with all that it needs of every customer, and nothing else', () => {
    const ending = (values: Record<string, string>) => said({ notificationsFeed: [onNotified(1, 0, { values })] });
    const { companyName, email, vatNumber } = ATTRIBUTES;
    expect(ending({ companyName, email })).toEqual([]);
    expect(ending({ companyName, email: `${PARTNER}-1@faults.example` })).toEqual(['lost']);
    expect(ending({ companyName })).toEqual(['lost']);
    expect(ending({ companyName, email, vatNumber })).toEqual(['lost']);
    expect(said({ notificationsFeed: [], subjects: new Map() })).toEqual(['lost']);
  });
});

it('a recipient that is sent back to an older value is told, whatever its version', () => {
  const older = { values: { companyName: `${PARTNER}-1`, email: `${PARTNER}-1@faults.example` } };
  expect(said({ partnerFeed: [onFeed(1, 0), onFeed(2, 1, older), onFeed(3, 2)] })).toEqual(['reordered']);
  expect(said({ partnerFeed: [onFeed(1, 0, older), onFeed(2, 1)] })).toEqual([]);
});
