import { leafHash } from '../leaf-hash.js';
import { openCheckpoint } from '../notes/checkpoint.js';
import { decodeBundle } from '../notes/entry-bundle.js';
import type { NoteVerifier } from '../notes/note-keys.js';
import { CompactRange } from '../tree/compact-range.js';
import { TILE_WIDTH } from '../tree/tile.js';
import type { TreeHead } from '../tree/verify-proofs.js';
import type { LogSource } from './log-source.js';
import { LogAltered, unreadable } from './log-altered.js';
import { RecomputedTiles } from './recomputed-tiles.js';

export interface Verification {
  readonly log: LogSource;
  /** Of the log's key; its name is the log's origin. */
  readonly verifier: NoteVerifier;
  /** Signed notes that the log gave before: with them it cannot have been rewritten since, or show others another log. */
  readonly remembered?: readonly Buffer[];
  /** Told how many entries of how many are verified. */
  readonly onProgress?: (verified: number, of: number) => void;
}

/** What has been signed of a log, against what its entries come to. */
class SignedHeads {
  private readonly range = new CompactRange();
  private matched = 0;

  /** @param heads by size */
  constructor(private readonly heads: TreeHead[]) {
    this.compare();
  }

  append(hash: Buffer): void {
    this.range.append(hash);
    this.compare();
  }

  private compare(): void {
    const { size } = this.range;
    while (this.heads[0]?.size === size) {
      if (this.heads.shift()?.root.equals(this.range.root()) !== true)
        throw new LogAltered(this.matched, size, `the first ${size} entries are not those that were signed`);
      this.matched = size;
    }
  }

  /** To be called once all entries were appended. */
  end(): void {
    const last = this.heads.at(-1);
    if (last !== undefined)
      throw new LogAltered(this.range.size, last.size, `${last.size} entries were signed, ${this.range.size} are left`);
  }
}

/**
 * Verifies all of a log: that its tiles are those of its entries, and its entries those that were signed.
 * @returns the head that the log shows now
 * @throws LogAltered where the first entry stands that is not as it was signed
 * @throws whatever the log throws where it cannot be read for now
 * @throws NoteRefused on a checkpoint, shown or remembered, that this key did not sign
 */
export async function verifyLog({ log, verifier, remembered = [], onProgress }: Verification): Promise<TreeHead> {
  const head = openCheckpoint(await log.checkpoint(), verifier);
  const known = remembered.map((note) => openCheckpoint(note, verifier));
  const signed = new SignedHeads([...known, head].sort((a, b) => a.size - b.size));
  const tiles = new RecomputedTiles(log);
  for (let from = 0; from < head.size; from += TILE_WIDTH) {
    const to = Math.min(from + TILE_WIDTH, head.size);
    const hashes = (await entriesOf(log, from, to)).map(leafHash);
    // The tile first: it tells of one entry that it is another, a head of all since the head before.
    await tiles.addLeaves(from / TILE_WIDTH, hashes);
    for (const hash of hashes) signed.append(hash);
    onProgress?.(to, head.size);
  }
  await tiles.end();
  signed.end();
  return head;
}

async function entriesOf(log: LogSource, from: number, to: number): Promise<readonly Buffer[]> {
  const width = to - from;
  try {
    return decodeBundle(await log.bundle({ index: from / TILE_WIDTH, width }), width);
  } catch (error) {
    throw unreadable(from, to, 'there is no whole bundle of them', error);
  }
}
