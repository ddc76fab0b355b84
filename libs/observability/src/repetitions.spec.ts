import { describe, expect, it } from 'vitest';
import { createLogger } from './logger.js';
import { Repetitions } from './repetitions.js';

describe('a complaint that comes again and again', () => {
  it('is written five times in ten seconds, and the next time with how many were left out', () => {
    const repetitions = new Repetitions();
    const told = Array.from({ length: 8 }, (_, n) => repetitions.next('the database is away', 1_000 + n));
    expect(told).toEqual([0, 0, 0, 0, 0, undefined, undefined, undefined]);
    expect(repetitions.next('the broker is away', 1_010)).toBe(0);
    expect(repetitions.next('the database is away', 11_000)).toBe(3);
    expect(repetitions.next('the database is away', 31_000)).toBe(0);
  });

  it('is counted in the log; what is no complaint, and what ends the process, is written each time', () => {
    const lines: string[] = [];
    const logger = createLogger('svc', 'info', { write: (line) => void lines.push(line) });
    for (let n = 0; n < 20; n += 1) {
      logger.warn({ n }, 'away');
      logger.error('away');
      logger.info('answered');
      logger.fatal('ending');
    }
    const count = (words: string): number => lines.filter((line) => line.includes(words)).length;
    expect([count('"away"'), count('"answered"'), count('"ending"')]).toEqual([5, 20, 20]);
  });
});
