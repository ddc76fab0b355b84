import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Part } from './part.js';

describe('a part', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'castiron-part-'));
  });
  afterEach(() => rm(folder, { recursive: true }));
  const part = (program: string) =>
    new Part({ name: 'it', command: process.execPath, args: ['-e', program], log: join(folder, 'it.log') });

  it('tells its last words when it ends by itself', async () => {
    expect(await part('console.error("out of luck"); process.exit(3)').ended).toMatch(/exit code 3[^]*out of luck/);
  });

  it('is not waited for when it died before it was ready', async () => {
    await expect(part('process.exit(1)').says(/ready/)).rejects.toThrow('it ended');
  });

  it('is ended by force where asking does not help', async () => {
    const stubborn = part('process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); console.log("ready")');
    await stubborn.says(/ready/);
    await stubborn.stop(100);
    expect(await stubborn.ended).toContain('SIGKILL');
  });

  it('says so where its program does not exist', async () => {
    const missing = new Part({ name: 'it', command: 'no-such-program', args: [], log: join(folder, 'it.log') });
    expect(await missing.ended).toContain('could not be started');
  });
});
