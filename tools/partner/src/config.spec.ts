import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSettings } from './config.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'castiron-partner-'));
});
afterEach(() => rm(folder, { recursive: true }));

const local = { kafka: { bootstrap: '127.0.0.1:9092' }, recipients: { p1: { username: 'p1', password: 'x' } } };
const settings = async (slug: string, content: string | undefined, rest: { file?: string } = {}) => {
  const endpoints = join(folder, 'endpoints.json');
  if (content !== undefined) await writeFile(endpoints, content);
  return readSettings(slug, { endpoints, ...rest }, { INIT_CWD: folder });
};

describe('the settings of a tail', () => {
  it('come from the local stack, and files are meant from where the person stands', async () => {
    expect(await settings('p1', JSON.stringify(local))).toMatchObject({ file: join(folder, 'partner-p1.json') });
    expect(await settings('p1', JSON.stringify(local), { file: 'mine.json' })).toMatchObject({
      file: join(folder, 'mine.json'),
    });
  });

  it.each([
    ['No_Slug', JSON.stringify(local), /^"No_Slug" is not a recipient's name/],
    ['p2', JSON.stringify(local), /^No credentials for "p2"\. The recipients here are p1\./],
    ['constructor', JSON.stringify(local), /^No credentials for "constructor"/],
    ['p1', undefined, /^Where is Kafka\? .*endpoints\.json is not there/],
    ['p1', '{', /endpoints\.json is not JSON$/],
    ['p1', 'null', /^Where is Kafka\?/],
  ])('that are wrong are told in a sentence (%s, %j)', async (slug, content, message) => {
    await expect(settings(slug, content)).rejects.toThrow(message);
  });
});
