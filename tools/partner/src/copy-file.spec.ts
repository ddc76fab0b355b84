import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readCopy, writeCopy } from './copy-file.js';
import { PartnerCopy } from './partner-copy.js';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'castiron-partner-'));
  path = join(folder, 'partner-p1.json');
});
afterEach(() => rm(folder, { recursive: true }));

describe('the file of a copy', () => {
  it('is none before the first run, and is read as it was written', async () => {
    expect(await readCopy(path, 'p1')).toBeUndefined();
    await writeCopy(path, new PartnerCopy('p1').toFile());
    expect(await readCopy(path, 'p1')).toEqual({ recipient: 'p1', subjects: {}, seen: {}, confirmed: {} });
  });

  it.each([
    '',
    '{',
    'null',
    '7',
    '{"recipient":"p2","subjects":{},"seen":{},"confirmed":{}}',
    '{"recipient":"p1","subjects":null,"seen":{"a":{"version":1}},"confirmed":{}}',
    '{"recipient":"p1","subjects":{},"seen":[],"confirmed":{}}',
    '{"recipient":"p1","subjects":{"a":{"attributes":null}},"seen":{"a":{}},"confirmed":{}}',
  ])('is refused in one sentence as %j', async (text) => {
    await writeFile(path, text);
    await expect(readCopy(path, 'p1')).rejects.toThrow(
      /partner-p1\.json is (not JSON|not a copy of p1's); move it away to begin anew$/,
    );
  });

  it('is named where it cannot be read', async () => {
    await mkdir(path);
    await expect(readCopy(path, 'p1')).rejects.toThrow(/partner-p1\.json cannot be read: EISDIR$/);
  });
});
