import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { newEventId } from '@castiron/contracts';
import {
  bundlePath,
  composeEntry,
  encodeBundle,
  growTiles,
  leafHash,
  noteSigner,
  randomSalts,
  signCheckpoint,
  TILE_WIDTH,
  TiledTree,
  tilePath,
  type EntryDraft,
  type GrownTile,
  type ReadTile,
} from '@castiron/ledger';

const HASH_BYTES = 32;
/** Entries that are made at once: full tiles of the level above the leaves. */
const CHUNK = TILE_WIDTH * TILE_WIDTH;
const RECIPIENTS = 20;

const RECOMMENDED = [{ purpose: 'recommendation', ground: 'permission' }];
const DELIVERED = [...RECOMMENDED, { purpose: 'service-delivery', ground: 'cooperation' }];
const HELD: EntryDraft['attributes'] = {
  companyName: { purposes: DELIVERED, value: 'Acorn Hosting Ltd' },
  domainNames: { purposes: DELIVERED, value: 'acorn.example' },
  email: { purposes: RECOMMENDED, value: 'office@acorn.example' },
};

/** Of ten records, seven tell of three attributes and three take all away. */
function leafOf(index: number, agreements: readonly string[]): Buffer {
  const recipient = index % RECIPIENTS;
  const withdrawn = index % 10 >= 7;
  const draft: EntryDraft = {
    id: newEventId(),
    kind: withdrawn ? 'withdrawn' : 'released',
    at: new Date(),
    recipient: `recipient-${recipient}`,
    recordId: newEventId(),
    version: 1 + (index % 40),
    agreement: agreements[recipient] ?? null,
    policyVersion: '1',
    subject: randomUUID(),
    attributes: withdrawn ? {} : HELD,
  };
  return composeEntry(draft, randomSalts()).bytes;
}

async function keep(path: string, content: Buffer | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

export interface MadeLog {
  /** What its head is verified with. */
  readonly key: string;
  /** Of all leaves. */
  readonly bytes: number;
}

/** Makes a log of so many entries, with leaves as releases make them, in a folder (C2SP tlog-tiles). */
export async function makeLog(folder: string, entries: number, onProgress: (made: number) => void): Promise<MadeLog> {
  const agreements = Array.from({ length: RECIPIENTS }, () => randomUUID());
  const tiles = new Map<string, GrownTile>();
  const read: ReadTile = ({ level, index, width }) => {
    const tile = tiles.get(`${level}/${index}`);
    if (tile === undefined) return Promise.reject(new Error('a tile that was not made'));
    return Promise.resolve(tile.hashes.subarray(0, width * HASH_BYTES));
  };
  let bytes = 0;
  for (let from = 0; from < entries; from += CHUNK) {
    const leaves = Array.from({ length: Math.min(CHUNK, entries - from) }, (_, n) => leafOf(from + n, agreements));
    for (let at = 0; at < leaves.length; at += TILE_WIDTH) {
      const bundle = leaves.slice(at, at + TILE_WIDTH);
      const index = (from + at) / TILE_WIDTH;
      await keep(join(folder, bundlePath({ index, width: bundle.length })), encodeBundle(bundle));
    }
    for (const tile of await growTiles(from, leaves.map(leafHash), read))
      tiles.set(`${tile.level}/${tile.index}`, tile);
    bytes += leaves.reduce((sum, { length }) => sum + length, 0);
    onProgress(from + leaves.length);
  }
  for (const { level, index, hashes } of tiles.values())
    await keep(join(folder, tilePath({ level, index, width: hashes.length / HASH_BYTES })), hashes);
  const signer = noteSigner('castiron.example/ledger', randomBytes(32));
  const head = { size: entries, root: await new TiledTree(entries, read).root() };
  await keep(join(folder, 'checkpoint'), signCheckpoint(head, signer));
  return { key: signer.verifierKey, bytes };
}
