import { randomBytes } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  bundlePath,
  encodeBundle,
  growTiles,
  leafHash,
  noteSigner,
  signCheckpoint,
  TILE_WIDTH,
  TiledTree,
  tilePath,
  type NoteSigner,
  type ReadTile,
} from '@castiron/ledger';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keep } from './folder-log.js';
import { verify } from './verify.js';

const signer = noteSigner('castiron.example/ledger', randomBytes(32));
const entries = (count: number): Buffer[] => Array.from({ length: count }, (_, n) => Buffer.from(`{"entry":${n}}`));

/** Puts a log into a folder, as a server gives it: what is right of another one and of this one has the same paths. */
async function put(folder: string, log: readonly Buffer[], by: NoteSigner = signer): Promise<void> {
  const tiles = new Map<string, Buffer>();
  const read: ReadTile = ({ level, index, width }) =>
    Promise.resolve((tiles.get(`${level}/${index}`) ?? Buffer.alloc(0)).subarray(0, width * 32));
  for (const { level, index, hashes } of await growTiles(0, log.map(leafHash), read)) {
    tiles.set(`${level}/${index}`, hashes);
    await keep(join(folder, tilePath({ level, index, width: hashes.length / 32 })), hashes);
  }
  for (let at = 0; at < log.length; at += TILE_WIDTH) {
    const bundle = log.slice(at, at + TILE_WIDTH);
    await keep(join(folder, bundlePath({ index: at / TILE_WIDTH, width: bundle.length })), encodeBundle(bundle));
  }
  const head = { size: log.length, root: await new TiledTree(log.length, read).root() };
  await keep(join(folder, 'checkpoint'), Buffer.from(signCheckpoint(head, by)));
}

let folder: string;
let log: string;
/** The head that was seen the last time. */
let seen: string;
/** What was copied then. */
let copy: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ledger-tampering-'));
  [log, seen, copy] = [join(folder, 'log'), join(folder, 'seen'), join(folder, 'copy')];
  await put(log, entries(700));
});
afterEach(() => rm(folder, { recursive: true }));

const run = async (over: { remember?: string; copy?: string } = {}): Promise<{ isRight: boolean; said: string }> => {
  const said: string[] = [];
  const isRight = await verify({ from: log, key: signer.verifierKey, say: (line) => said.push(line), ...over });
  return { isRight, said: said.join('\n') };
};
const remembering = () => run({ remember: seen });
const comparing = () => run({ remember: seen, copy });

const right = { isRight: true, said: expect.stringMatching(/^castiron\.example\/ledger: all of \d+ entries are/) };
const wrong = (what: string) => ({
  isRight: false,
  said: expect.stringContaining(`NOT as it was signed. ${what}`),
});

/** The log is another one from now on; what is left of the former one at other paths is gone. */
async function replaceBy(other: readonly Buffer[]): Promise<void> {
  await rm(log, { recursive: true });
  await put(log, other);
}

describe('verifying a log that was tampered with', () => {
  it('names the row', async () => {
    expect(await run()).toMatchObject(right);
    const path = join(log, bundlePath({ index: 1, width: 256 }));
    await writeFile(path, encodeBundle(entries(512).slice(256).with(157, Buffer.from('{"entry":"tampered"}'))));
    expect(await run()).toMatchObject(wrong('entry 413: '));
  });

  it('names the entries of a tail that was deleted, with the head or with an older one put in its place', async () => {
    expect(await remembering()).toMatchObject(right);
    await rm(join(log, bundlePath({ index: 2, width: 188 })));
    expect(await remembering()).toMatchObject(wrong('entries 512 to 699: '));
    await replaceBy(entries(650));
    expect(await run()).toMatchObject(right);
    expect(await remembering()).toMatchObject(wrong('entries 650 to 699: 700 entries were signed, 650 are left'));
    expect(await comparing()).toMatchObject(wrong('entries 650 to 699: '));
  });

  it('names where a log begins to be another that was rewritten as a whole, and signed again', async () => {
    expect(await comparing()).toMatchObject(right);
    await replaceBy(entries(700).with(113, Buffer.from('{"entry":"rewritten"}')));
    // Nobody can tell who has seen nothing before.
    expect(await run()).toMatchObject(right);
    expect(await remembering()).toMatchObject(wrong('entries 0 to 699: '));
    expect(await comparing()).toMatchObject(wrong('entry 113: it is another than in the copy'));
    // What bears witness is still there.
    expect(await comparing()).toMatchObject(wrong('entry 113: '));
    expect(await readFile(join(copy, bundlePath({ index: 0, width: 256 })))).toEqual(encodeBundle(entries(256)));
  });

  it('names where a history forked that has grown since', async () => {
    expect(await comparing()).toMatchObject(right);
    await replaceBy(entries(900).with(690, Buffer.from('{"entry":"forked"}')));
    expect(await run()).toMatchObject(right);
    expect(await remembering()).toMatchObject(wrong('entries 0 to 699: '));
    expect(await comparing()).toMatchObject(wrong('entry 690: '));
    await replaceBy(entries(900));
    expect(await comparing()).toMatchObject(right);
  });

  it('takes no checkpoint of another log, nor of another key', async () => {
    const other = join(folder, 'other');
    await put(other, entries(700).with(3, Buffer.from('{"entry":"other"}')));
    await cp(join(other, 'checkpoint'), join(log, 'checkpoint'));
    expect(await run()).toMatchObject(wrong('entries 0 to 699: the first 700 entries are not those that were signed'));
    await put(other, entries(700), noteSigner(signer.name, randomBytes(32)));
    await cp(join(other, 'checkpoint'), join(log, 'checkpoint'));
    expect(await run()).toMatchObject({ isRight: false, said: expect.stringContaining('NOT VERIFIED') });
  });
});
