import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { claimFolder } from './running.js';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'castiron-claim-'));
  file = join(folder, 'local.pid');
});
afterEach(() => rm(folder, { recursive: true }));

it('lets one process at a time use a folder', async () => {
  const release = await claimFolder(file);
  await expect(claimFolder(file)).rejects.toThrow(`as process ${process.pid}: stop that one first`);
  await release();
  await (
    await claimFolder(file)
  )();
});

it('takes no notice of who was killed, though a process has its number by now', async () => {
  const release = await claimFolder(file);
  await release();
  await writeFile(file, JSON.stringify({ pid: process.pid, port: 9, mark: 'gone' }));
  await (
    await claimFolder(file)
  )();
  await writeFile(file, '{');
  await (
    await claimFolder(file)
  )();
});
