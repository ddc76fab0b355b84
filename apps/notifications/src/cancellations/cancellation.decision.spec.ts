import { describe, expect, it } from 'vitest';
import { isPermittedAnew } from './cancellation.decision.js';

const at = (minute: number): Date => new Date(Date.UTC(2026, 10, 23, 9, minute));
const record = (mailing: 'allowed' | 'stopped', knownAt: number) => ({
  mailing,
  mailingCancelledAt: at(knownAt).toISOString(),
});

describe('a cancellation', () => {
  it('outlives records made before partner-sharing heard of it', () => {
    expect(isPermittedAnew(at(10), { mailing: 'allowed' })).toBe(false);
    expect(isPermittedAnew(at(10), record('allowed', 9))).toBe(false);
  });

  it('outlives the record that acknowledges it', () => {
    expect(isPermittedAnew(at(10), record('stopped', 10))).toBe(false);
  });

  it('ends with a permission that stands beside it', () => {
    expect(isPermittedAnew(at(10), record('allowed', 10))).toBe(true);
    expect(isPermittedAnew(at(10), record('allowed', 11))).toBe(true);
  });
});
