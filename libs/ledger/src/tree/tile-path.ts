import { TILE_WIDTH, type TileAddress } from './tile.js';

/** A bundle of entries: its index, and how many of its entries (1 to 256). */
export type BundleAddress = Omit<TileAddress, 'level'>;

const MAX_LEVEL = 63;

function indexPath(index: number): string {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? [];
  return groups.map((group, n) => (n < groups.length - 1 ? `x${group}` : group)).join('/');
}

const widthPath = (width: number): string => (width === TILE_WIDTH ? '' : `.p/${width}`);

/** Where a tile lies below a log's address: `tile/0/x001/234.p/5` (C2SP tlog-tiles). */
export const tilePath = ({ level, index, width }: TileAddress): string =>
  `tile/${level}/${indexPath(index)}${widthPath(width)}`;

/** Where a bundle of entries lies below a log's address: `tile/entries/x001/234.p/5` (C2SP tlog-tiles). */
export const bundlePath = ({ index, width }: BundleAddress): string =>
  `tile/entries/${indexPath(index)}${widthPath(width)}`;

function placeOf(rest: string): BundleAddress | undefined {
  const [indexes = '', partial] = rest.split('.p/');
  const index = Number(indexes.replaceAll(/[x/]/g, ''));
  const width = partial === undefined ? TILE_WIDTH : Number(partial);
  const counted = Number.isSafeInteger(index * TILE_WIDTH) && Number.isSafeInteger(width);
  if (!counted || index < 0 || width < 1 || width > TILE_WIDTH) return undefined;
  // Each address has one spelling: whatever is written otherwise is none.
  return `${indexPath(index)}${widthPath(width)}` === rest ? { index, width } : undefined;
}

/** The tile that a path names; undefined where it names none. */
export function parseTilePath(path: string): TileAddress | undefined {
  const [, level, rest] = /^tile\/(\d{1,2})\/(.+)$/.exec(path) ?? [];
  const place = rest === undefined ? undefined : placeOf(rest);
  if (place === undefined || Number(level) > MAX_LEVEL || String(Number(level)) !== level) return undefined;
  return { level: Number(level), ...place };
}

/** The bundle of entries that a path names; undefined where it names none. */
export function parseBundlePath(path: string): BundleAddress | undefined {
  const [, rest] = /^tile\/entries\/(.+)$/.exec(path) ?? [];
  return rest === undefined ? undefined : placeOf(rest);
}
