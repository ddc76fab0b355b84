import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CannotStart } from './cannot-start.js';
import { keep, readKept } from './kept-json.js';
import { Secrets } from './secrets.js';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'castiron-kept-'));
  file = join(folder, 'it.json');
});
afterEach(() => rm(folder, { recursive: true }));

describe('what a data folder keeps', () => {
  it('is read again, and nothing where nothing was kept', async () => {
    expect(await readKept(file)).toBeUndefined();
    await keep(file, { a: 1 });
    expect(await readKept(file)).toEqual({ a: 1 });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('is named where it is damaged, with the way out', async () => {
    await writeFile(file, '{"a":');
    await expect(readKept(file)).rejects.toThrow(CannotStart);
    await expect(readKept(file)).rejects.toThrow(/it\.json is damaged.*--fresh/);
  });
});

describe('the passwords of a data folder', () => {
  it('are on disk before anybody can use them: a start that is killed is tried again with the same', async () => {
    const password = (await Secrets.of(file)).get('postgres.admin');
    expect((await Secrets.of(file)).get('postgres.admin')).toBe(password);
  });

  it('differ from name to name', async () => {
    const secrets = await Secrets.of(file);
    expect(secrets.get('a')).not.toBe(secrets.get('b'));
  });
});
