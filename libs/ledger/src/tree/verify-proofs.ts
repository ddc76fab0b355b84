import { EMPTY_ROOT, nodeHash, splitOf } from './node-hash.js';

/** A tree's size and the root over all of it: what a checkpoint signs. */
export interface TreeHead {
  readonly size: number;
  /** 32 bytes. */
  readonly root: Buffer;
}

/** Root of a tree of `size` leaves that this path leads to from one of them; undefined where the path has another length. */
function rootThrough(path: readonly Buffer[], index: number, size: number, leafHash: Buffer): Buffer | undefined {
  if (size === 1) return path.length === 0 ? leafHash : undefined;
  const sibling = path.at(-1);
  if (sibling === undefined) return undefined;
  const [left, below] = [splitOf(size), path.slice(0, -1)];
  if (index < left) {
    const inner = rootThrough(below, index, left, leafHash);
    return inner && nodeHash(inner, sibling);
  }
  const inner = rootThrough(below, index - left, size - left, leafHash);
  return inner && nodeHash(sibling, inner);
}

/** Whether this path proves that the leaf stands at `index` in the tree of this head (RFC 9162 section 2.1.3.2). */
export function isIncluded(proof: readonly Buffer[], index: number, leafHash: Buffer, head: TreeHead): boolean {
  if (!Number.isSafeInteger(index) || index < 0 || index >= head.size) return false;
  return rootThrough(proof, index, head.size, leafHash)?.equals(head.root) ?? false;
}

/** Roots of the beginning and of the whole that this path leads to; undefined where the path has another length. */
function rootsThrough(
  path: readonly Buffer[],
  from: number,
  size: number,
  beginning: Buffer | undefined,
): { readonly from: Buffer; readonly whole: Buffer } | undefined {
  const last = path.at(-1);
  if (from === size) {
    const only = beginning ?? last;
    const known = beginning === undefined ? 1 : 0;
    return only === undefined || path.length !== known ? undefined : { from: only, whole: only };
  }
  if (last === undefined) return undefined;
  const [left, below] = [splitOf(size), path.slice(0, -1)];
  if (from <= left) {
    const inner = rootsThrough(below, from, left, beginning);
    return inner && { from: inner.from, whole: nodeHash(inner.whole, last) };
  }
  const inner = rootsThrough(below, from - left, size - left, undefined);
  return inner && { from: nodeHash(last, inner.from), whole: nodeHash(last, inner.whole) };
}

/** Whether this path proves that the tree of `older` is the beginning of that of `newer` (RFC 9162 section 2.1.4.2). */
export function isConsistent(proof: readonly Buffer[], older: TreeHead, newer: TreeHead): boolean {
  if (older.size === 0) return proof.length === 0 && older.root.equals(EMPTY_ROOT);
  if (older.size > newer.size) return false;
  const roots = rootsThrough(proof, older.size, newer.size, older.root);
  return roots !== undefined && roots.from.equals(older.root) && roots.whole.equals(newer.root);
}
