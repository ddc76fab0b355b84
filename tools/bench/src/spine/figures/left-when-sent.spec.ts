import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { leftWhenSent } from './left-when-sent.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** What is told look by look, the last for ever. */
const inTurn = (...counts: readonly number[]) => {
  const left = [...counts];
  return async () => (left.length > 1 ? left.shift() : left[0]) ?? 0;
};
const none = inTurn(0);

async function seen(told: Omit<Parameters<typeof leftWhenSent>[0], 'count'>): Promise<number> {
  const left = leftWhenSent({ count: 100, ...told });
  // Whoever rejects meanwhile is awaited below.
  left.catch(() => undefined);
  await vi.runAllTimersAsync();
  return left;
}

describe('a backlog that one sends and another one handles', () => {
  it('has left what was not handled at the first look that found all sent', async () => {
    expect(await seen({ sent: inTurn(40, 100), handled: inTurn(5, 30, 90, 100), parked: none })).toBe(70);
  });

  it('has nothing left where the one who sends is not the faster one', async () => {
    expect(await seen({ sent: inTurn(40, 90, 100), handled: inTurn(40, 90, 100), parked: none })).toBe(0);
  });

  it('says nothing of handling where some was parked, though all was taken', async () => {
    await expect(seen({ sent: inTurn(100), handled: inTurn(100), parked: inTurn(3) })).rejects.toThrow(
      '3 of 100 were parked',
    );
  });

  it('is given up where nothing more of it is handled', async () => {
    await expect(seen({ sent: inTurn(100), handled: inTurn(60), parked: none })).rejects.toThrow('only 60 of 100');
  });
});
