import { describe, expect, it } from 'vitest';
import { every } from './part.js';

const fail = (error: unknown): void => expect.fail(String(error));

describe('what runs every so often', () => {
  it('comes again after a run that failed, which is told', async () => {
    let runs = 0;
    const told: unknown[] = [];
    const again = new Promise<void>((resolve) => {
      const work = (): Promise<void> => {
        runs += 1;
        if (runs === 2) resolve();
        return Promise.reject(new Error(`run ${runs}`));
      };
      const part = every(1, 'failing', work, (error) => told.push(error));
      void part.start(fail).then(() => again.then(() => part.stop()));
    });
    await again;
    expect(told).toContainEqual(new Error('run 1'));
  });

  it('sees in the middle of long work that it is to stop, and is waited for', async () => {
    let [begun, ended] = [(): void => undefined, false];
    const running = new Promise<void>((resolve) => (begun = resolve));
    const work = async (stopping: AbortSignal): Promise<void> => {
      begun();
      await new Promise<void>((resolve) => stopping.addEventListener('abort', () => resolve()));
      ended = true;
    };
    const part = every(1, 'long', work, fail);
    await part.start(fail);
    await running;
    expect(ended).toBe(false);
    await part.stop();
    expect(ended).toBe(true);
  });
});
