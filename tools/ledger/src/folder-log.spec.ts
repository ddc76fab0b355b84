import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NotInLog, type LogSource } from '@castiron/ledger';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { copying, folderLog } from './folder-log.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ledger-copy-'));
});
afterEach(() => rm(folder, { recursive: true }));

const log: LogSource = {
  checkpoint: () => Promise.resolve(Buffer.from('a head')),
  tile: ({ width }) => Promise.resolve(Buffer.alloc(32 * width, 1)),
  bundle: () => Promise.resolve(Buffer.from('entries')),
};

it('a copy gives what its log gave, and its head once all else is there', async () => {
  const { log: read, end } = copying(log, folder);
  await read.checkpoint();
  await read.tile({ level: 0, index: 1234, width: 7 });
  await read.bundle({ index: 0, width: 256 });
  const copy = folderLog(folder);
  await expect(copy.checkpoint()).rejects.toThrow(NotInLog);
  await end();
  expect(String(await copy.checkpoint())).toBe('a head');
  expect(await copy.tile({ level: 0, index: 1234, width: 7 })).toHaveLength(7 * 32);
  expect(String(await copy.bundle({ index: 0, width: 256 }))).toBe('entries');
  await expect(copy.bundle({ index: 1, width: 256 })).rejects.toThrow(NotInLog);
  expect((await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.part'))).toEqual([]);
});
