import {
  encodeBundle,
  formatLogProof,
  TILE_WIDTH,
  TiledTree,
  type BundleAddress,
  type NoteSigner,
  type TileAddress,
} from '@castiron/ledger';
import type { DataSource } from 'typeorm';
import { lastSigned } from '../ledger/checkpoint.table.js';
import { leavesFrom } from '../ledger/read-entries.js';
import { tilesOf } from '../ledger/tiles.table.js';

/** The ledger as far as it is signed: what others can verify. */
export class ReadLog {
  readonly verifierKey: string;

  constructor(
    private readonly dataSource: DataSource,
    { verifierKey }: Pick<NoteSigner, 'verifierKey'>,
  ) {
    this.verifierKey = verifierKey;
  }

  /** The note that was signed last; undefined before the first. */
  async checkpoint(): Promise<string | undefined> {
    return (await lastSigned(this.dataSource.manager))?.note;
  }

  /** Hashes of a tile, as wide as it is asked for; undefined where what is signed has none so wide. */
  async tile(address: TileAddress): Promise<Buffer | undefined> {
    const { level, index, width } = address;
    if (!(await this.isSigned((index * TILE_WIDTH + width) * TILE_WIDTH ** level))) return undefined;
    return tilesOf(this.dataSource.manager)(address);
  }

  /** Entries of a bundle; undefined where what is signed has not as many. */
  async bundle({ index, width }: BundleAddress): Promise<Buffer | undefined> {
    const from = index * TILE_WIDTH;
    if (!(await this.isSigned(from + width))) return undefined;
    return encodeBundle(await leavesFrom(this.dataSource.manager, from, width));
  }

  /**
   * That an entry stands in the log (C2SP tlog-proof), with the entry beside; `unsigned` before a head is signed that has it,
   * which is a matter of seconds; undefined where there is no such entry.
   */
  async proofOf(entry: string): Promise<{ readonly proof: string } | 'unsigned' | undefined> {
    const { manager } = this.dataSource;
    const [found]: ({ index: string; leaf: string } | undefined)[] = await manager.query(
      'SELECT index, leaf FROM ledger_entries WHERE id = $1',
      [entry],
    );
    if (found === undefined) return undefined;
    const signed = await lastSigned(manager);
    const index = Number(found.index);
    if (signed === undefined || index >= signed.size) return 'unsigned';
    const path = await new TiledTree(signed.size, tilesOf(manager)).inclusionProof(index);
    const extra = Buffer.from(found.leaf, 'utf8');
    return { proof: formatLogProof({ index, path, checkpoint: signed.note, extra }) };
  }

  private async isSigned(entries: number): Promise<boolean> {
    return ((await lastSigned(this.dataSource.manager))?.size ?? 0) >= entries;
  }
}
