import { expect, it } from 'vitest';
import { latencyOf } from './latency.js';

const at = (count: number, ms: (n: number) => number) => Float64Array.from({ length: count }, (_, n) => ms(n));

it('whoever is handed events in time, and lets them wait, has not received them in time', () => {
  const inTime = at(1000, (n) => n * 5);
  const { reached, received, p99 } = latencyOf(
    { due: inTime, begun: inTime },
    at(1000, (n) => n * 10 + 1),
    0,
  );
  expect(reached).toBeCloseTo(200, 0);
  expect(received).toBeCloseTo(100, 0);
  expect(p99).toBeGreaterThan(4_900);
});
