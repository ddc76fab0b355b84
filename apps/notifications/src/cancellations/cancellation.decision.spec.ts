import { describe, expect, it } from 'vitest';
import { decideOnFeed, isNews, type Cancellation, type FeedState } from './cancellation.decision.js';

const at = (minute: number): Date => new Date(Date.UTC(2026, 10, 23, 9, minute));
const cancelled = (rest: Partial<Cancellation> = {}): Cancellation => ({
  at: at(10),
  version: 4,
  feedStopped: false,
  ...rest,
});
const feed = (version: number, mailing: FeedState['mailing'], minute = 20): FeedState => ({
  version,
  mailing,
  at: at(minute),
});

describe('a cancellation', () => {
  it('outlives records made before partner-sharing heard of it', () => {
    expect(decideOnFeed(cancelled(), feed(5, 'allowed'))).toBe('keep');
    expect(decideOnFeed(cancelled({ feedStopped: true }), feed(5, 'allowed', 9))).toBe('keep');
  });

  it('is acknowledged by the feed', () => {
    expect(decideOnFeed(cancelled(), feed(5, 'stopped'))).toBe('mark-stopped');
    expect(decideOnFeed(cancelled(), feed(4, 'stopped'))).toBe('keep');
    expect(decideOnFeed(cancelled({ feedStopped: true }), feed(5, 'stopped'))).toBe('keep');
  });

  it('ends with a permission given anew', () => {
    expect(decideOnFeed(cancelled({ feedStopped: true }), feed(6, 'allowed'))).toBe('lift');
  });

  it('is told once, and again where the customer may have permitted anew', () => {
    expect(isNews(undefined)).toBe(true);
    expect(isNews(cancelled())).toBe(false);
    expect(isNews(cancelled({ feedStopped: true }))).toBe(true);
  });
});
