import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FENCE_PLANTS } from '../fence/plants.js';
import { edited, placeOf, PLANTS, thrownIn, type Plant } from './plants.js';

const ROOT = join(import.meta.dirname, '../../../..');
const plants: readonly (readonly [string, Pick<Plant, 'edits'>])[] = Object.entries({ ...PLANTS, ...FENCE_PLANTS });

describe.each(plants)('the bug %s', (_name, { edits }) => {
  it('can still be planted where it is meant to be', () => {
    for (const edit of edits) {
      const source = readFileSync(join(ROOT, `${placeOf(edit.file, 'src')}.ts`), 'utf8');
      expect(edited(source, edit)).not.toBe(source);
    }
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

  it.each([
    'TypeError: this.signal.within is not a function',
    "Cannot read properties of undefined (reading 'seen')",
    '{"level":"error","err":{"type":"ReferenceError","message":"payload is not defined"}}',
  ])('has gone wrong where a replica says that its code does not work: %s', (line) => {
    expect(thrownIn(`first\n${line}\nlast\n`)).toBe(line);
  });

  it('has not where a replica tells of what is away', () => {
    expect(thrownIn('TypeError: fetch failed\nError: Connection terminated\nREADY is not true\n')).toBeUndefined();
  });
});
