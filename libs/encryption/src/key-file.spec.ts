import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { newKey, readKeyFile } from './index.js';

const folder = mkdtempSync(join(tmpdir(), 'castiron-key-'));
afterAll(() => rmSync(folder, { recursive: true }));

function keyFile(content: string, mode = 0o600): string {
  const path = join(folder, `${mode}-${newKey().toString('hex')}`);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

describe('a key file', () => {
  it('holds 32 bytes as base64, with or without a line end', () => {
    const key = newKey();
    expect(readKeyFile(keyFile(key.toString('base64'))).equals(key)).toBe(true);
    expect(readKeyFile(keyFile(`${key.toString('base64')}\n`)).equals(key)).toBe(true);
  });

  it.each([0o644, 0o604, 0o660])('is refused when others can reach it (%i)', (mode) => {
    expect(() => readKeyFile(keyFile(newKey().toString('base64'), mode))).toThrow(/0600/);
  });

  it.each(['', 'short', newKey().toString('hex'), newKey().subarray(1).toString('base64')])(
    'is refused without being shown when it holds something else',
    (content) => {
      expect(() => readKeyFile(keyFile(content))).toThrow(/32 bytes/);
    },
  );
});
