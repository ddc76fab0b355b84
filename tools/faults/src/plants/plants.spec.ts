import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { edited, PLANTS, type Plant } from './plants.js';

const ROOT = join(import.meta.dirname, '../../../..');
const plants: readonly (readonly [string, Plant])[] = Object.entries(PLANTS);

describe.each(plants)('the bug %s', (_name, { edits, finds, faults }) => {
  it('can still be planted where it is meant to be', () => {
    for (const edit of edits) {
      const source = readFileSync(join(ROOT, `${edit.file.replace(/\/([^/]+)$/, '/src/$1.ts')}`), 'utf8');
      expect(edited(source, edit)).not.toBe(source);
    }
  });

  it('has something that brings it to light, and something that the checker must say', () => {
    expect(faults).not.toEqual([]);
    expect(finds).not.toEqual([]);
  });
});

describe('planting', () => {
  const edit = { file: 'libs/outbox/relay', text: 'send(rows.map( ({ message }) => message ));', instead: '$&' };

  it('does not mind how the compiler sets its spaces', () => {
    expect(edited('await send(rows.map(({ message })=>message));', edit)).toBe('await $&');
  });

  it('fails where the text is not there, or there twice', () => {
    expect(() => edited('nothing', edit)).toThrow('0 times in libs/outbox/relay');
    const twice = 'send(rows.map(({ message }) => message)); '.repeat(2);
    expect(() => edited(twice, edit)).toThrow('2 times');
  });
});
