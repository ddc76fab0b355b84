import { eventually } from '@castiron/testing';
import { expect, it } from 'vitest';
import { ReleaseSignals } from './release-signals.js';

it('work that comes to no end is gone on with at one signal, and a stop waits for one call of it at most', async () => {
  let calls = 0;
  const part = new ReleaseSignals().whenever('settled', 60_000, {
    name: 'disclosures',
    work: async () => {
      calls += 1;
      return new Promise((resolve) => setImmediate(resolve, true));
    },
    onError: (error) => expect.fail(String(error)),
  });
  await part.start(() => undefined);
  await eventually(() => calls > 2);
  const before = calls;
  await part.stop();
  expect(calls - before).toBeLessThanOrEqual(1);
});
