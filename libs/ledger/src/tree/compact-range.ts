import { EMPTY_ROOT, nodeHash } from './node-hash.js';

/** The roots of the perfect trees that the leaves so far make up: what a growing tree needs to know for its root. */
export class CompactRange {
  private readonly roots: Buffer[] = [];
  private count = 0;

  get size(): number {
    return this.count;
  }

  append(leafHash: Buffer): void {
    let root = leafHash;
    for (let rest = this.count; rest % 2 === 1; rest = (rest - 1) / 2) {
      const left = this.roots.pop();
      if (left !== undefined) root = nodeHash(left, root);
    }
    this.roots.push(root);
    this.count += 1;
  }

  /** Root over all leaves so far (RFC 9162 section 2.1.1), 32 bytes. */
  root(): Buffer {
    return this.roots.length === 0 ? EMPTY_ROOT : this.roots.reduceRight((right, left) => nodeHash(left, right));
  }
}
