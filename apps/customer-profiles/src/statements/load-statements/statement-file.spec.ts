import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseStatement, readStatements } from './statement-file.js';

describe('a statement', () => {
  it('is known by its number, its date and the hash of its text', () => {
    expect(parseStatement(2, 'abc\nEffective from: 2026-03-01\n')).toMatchObject({
      version: 2,
      effectiveFrom: new Date('2026-03-01T00:00:00.000Z'),
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });
  });

  it('must say since when it holds', () => {
    expect(() => parseStatement(2, 'abc')).toThrow(/Effective from/);
    expect(() => parseStatement(2, 'Effective from: 2026-13-01')).toThrow(/Effective from/);
  });

  it('is delivered as version 1 with the service, and already in effect', () => {
    const [first] = readStatements(join(import.meta.dirname, '../../../statements'));
    expect(first?.version).toBe(1);
    expect(first?.effectiveFrom.getTime()).toBeLessThan(Date.now());
  });
});
