import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { holdCopy } from './hold-copy.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'castiron-partner-'));
  path = join(folder, 'partner-p1.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('a partner copy', () => {
  it('is kept by one process at a time, which is named', () => {
    writeFileSync(`${path}.lock`, `${process.ppid}\n`);
    expect(() => holdCopy(path)).toThrow(
      `${path} is kept by another tail (process ${process.ppid}): stop that one, or give --file.`,
    );
  });

  it('is free again once it was given back, and after its holder was killed', () => {
    holdCopy(path)();
    expect(existsSync(`${path}.lock`)).toBe(false);
    // No process has such an id; nor does one that died before it could write its own.
    for (const left of ['999999999\n', '']) {
      writeFileSync(`${path}.lock`, left);
      holdCopy(path)();
    }
  });

  it('cannot be kept in a folder that is not there', () => {
    expect(() => holdCopy(join(folder, 'none', 'x.json'))).toThrow(/x\.json cannot be kept: ENOENT$/);
  });
});
