import type { BundleAddress } from '../tree/tile-path.js';
import type { ReadTile } from '../tree/tile.js';

/** The log says itself that it has no such thing. */
export class NotInLog extends Error {
  override readonly name = 'NotInLog';
}

/** Where a log is read from: a server, or a folder that holds a copy. Each of these throws NotInLog where there is nothing. */
export interface LogSource {
  /** The last signed head. */
  checkpoint(): Promise<Buffer>;
  readonly tile: ReadTile;
  /** The entries of a bundle, each behind its length. */
  bundle(address: BundleAddress): Promise<Buffer>;
}
