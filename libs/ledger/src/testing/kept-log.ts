import { randomBytes } from 'node:crypto';
import { leafHash } from '../leaf-hash.js';
import { signCheckpoint } from '../notes/checkpoint.js';
import { encodeBundle } from '../notes/entry-bundle.js';
import { noteSigner, noteVerifier, type NoteSigner } from '../notes/note-keys.js';
import { TiledTree } from '../tree/tiled-tree.js';
import { TILE_WIDTH } from '../tree/tile.js';
import type { LogSource } from '../verify/log-source.js';
import { StoredTree } from './stored-tree.js';

/** A log in memory, all of whose parts can be changed by hand. */
export class KeptLog implements LogSource {
  readonly entries: Buffer[] = [];
  readonly tree = new StoredTree();
  /** The last one is shown. */
  readonly checkpoints: Buffer[] = [];
  readonly tile = this.tree.read;

  constructor(readonly signer: NoteSigner = noteSigner('castiron.example/ledger', randomBytes(32))) {}

  get verifier() {
    return noteVerifier(this.signer.verifierKey);
  }

  /** Appends entries and signs the head that they make. */
  async append(entries: readonly Buffer[]): Promise<void> {
    for (const entry of entries) this.entries.push(entry);
    await this.tree.append(entries.map(leafHash));
    const { size } = this.tree;
    const root = await new TiledTree(size, this.tree.read).root();
    this.checkpoints.push(Buffer.from(signCheckpoint({ size, root }, this.signer)));
  }

  checkpoint(): Promise<Buffer> {
    const last = this.checkpoints.at(-1);
    return last === undefined ? Promise.reject(new Error('nothing was signed')) : Promise.resolve(last);
  }

  bundle({ index, width }: { index: number; width: number }): Promise<Buffer> {
    const from = index * TILE_WIDTH;
    return Promise.resolve(encodeBundle(this.entries.slice(from, from + width)));
  }
}
