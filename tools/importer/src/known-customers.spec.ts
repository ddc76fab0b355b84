import { describe, expect, it } from 'vitest';
import { KnownCustomers } from './known-customers.js';

describe('known customers', () => {
  it('are found by their number, and the last answer counts', () => {
    const known = new KnownCustomers();
    known.addAll([
      ['1', 'a'],
      ['2', 'b'],
    ]);
    known.addAll([['2', 'c']]);
    expect([known.customerOf('1'), known.customerOf('2'), known.customerOf('3')]).toEqual(['a', 'c', undefined]);
    known.close();
  });
});
