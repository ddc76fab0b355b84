import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bundlePath, parseBundlePath, parseTilePath, tilePath } from './tile-path.js';

describe('the path of a tile', () => {
  it.each([
    [{ level: 0, index: 0, width: 256 }, 'tile/0/000'],
    [{ level: 1, index: 999, width: 1 }, 'tile/1/999.p/1'],
    [{ level: 0, index: 1234067, width: 256 }, 'tile/0/x001/x234/067'],
    [{ level: 63, index: 1000, width: 255 }, 'tile/63/x001/000.p/255'],
  ])('of %o is %s (C2SP tlog-tiles)', (tile, path) => {
    expect(tilePath(tile)).toBe(path);
    expect(parseTilePath(path)).toEqual(tile);
  });

  it('of a bundle of entries names no level', () => {
    const bundle = { index: 1234067, width: 7 };
    expect(bundlePath(bundle)).toBe('tile/entries/x001/x234/067.p/7');
    expect(parseBundlePath('tile/entries/x001/x234/067.p/7')).toEqual(bundle);
  });

  it('has one spelling', () => {
    fc.assert(
      fc.property(fc.nat(63), fc.maxSafeNat(), fc.integer({ min: 1, max: 256 }), (level, any, width) => {
        const tile = { level, index: Math.floor(any / 256), width };
        expect(parseTilePath(tilePath(tile))).toEqual(tile);
      }),
    );
  });

  it.each([
    'tile/0/0',
    'tile/0/00',
    'tile/0/1000',
    'tile/0/x000/001',
    'tile/0/001/002',
    'tile/0/x001',
    'tile/0/X001/000',
    'tile/0/-01',
    'tile/0/1e3',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/01',
    'tile/0/000.p/1.p/1',
    'tile/0/000.p/',
    'tile/0/000\n',
    'tile/00/000',
    'tile/64/000',
    'tile/-1/000',
    'tile//000',
    'tile/0/',
    `tile/0/${'x999/'.repeat(200)}999`,
    'tile/0/../../000',
    'tile/entries/000',
    '',
  ])('is not %j', (path) => {
    expect(parseTilePath(path)).toBeUndefined();
  });

  it.each(['tile/0/000', 'tile/entries/', 'tile/entries/0', 'tile/entries/000.p/0'])('of entries is not %j', (path) => {
    expect(parseBundlePath(path)).toBeUndefined();
  });
});
