import { openingProblem, type Leaf } from '@castiron/ledger';
import type { FeedRecord } from './sharing.rig.js';

export interface Entry {
  readonly index: bigint;
  readonly leaf: Leaf;
}

export interface ShareOf {
  readonly customer: string;
  readonly recipient: string;
}

const contentOf = ({ record }: FeedRecord): string =>
  Object.entries(record?.attributes ?? {})
    .flatMap(([name, one]) =>
      (one?.purposes ?? []).map(({ purpose, ground }) => `${name}=${one?.value ?? ''} for ${purpose} by ${ground}`),
    )
    .sort()
    .join('; ');

/** What records may and shall carry; see `allowedBy`. */
interface Model {
  mayCarry(share: ShareOf, entry: bigint): readonly string[];
  carries(share: ShareOf): string;
}

/** Feeds beside the ledger and the model. */
export class Comparison {
  private readonly wrong: string[] = [];
  private readonly joined = new Set<string>();
  private readonly last = new Map<string, { version: number; index: bigint; content: string }>();

  constructor(
    private readonly model: Model,
    private readonly shares: ReadonlyMap<string, ShareOf>,
    private readonly entries: ReadonlyMap<string, Entry>,
  ) {}

  add(recipient: string, found: FeedRecord): void {
    const problem = this.problemOf(recipient, found);
    if (problem !== undefined) this.wrong.push(`record ${found.id} of ${recipient}: ${problem}`);
  }

  private problemOf(recipient: string, found: FeedRecord): string | undefined {
    const { subject, id, record } = found;
    const share = this.shares.get(subject);
    if (share?.recipient !== recipient) return 'of nobody';
    const entry = this.entries.get(found.entry ?? '');
    if (entry === undefined) return 'no entry';
    if (this.joined.has(entry.leaf.id)) return 'its entry has another record';
    this.joined.add(entry.leaf.id);
    const { leaf, index } = entry;
    const before = this.last.get(subject);
    const content = contentOf(found);
    this.last.set(subject, { version: Number(leaf.version), index, content });
    if (leaf.recipient !== recipient || leaf.recordId !== id) return 'its entry is of another record';
    const kind = record === null ? 'tombstone' : content === '' ? 'withdrawn' : 'released';
    if (leaf.kind !== kind) return `${kind}, and its entry ${leaf.kind}`;
    const unopened = record === null ? undefined : openingProblem(leaf, record);
    if (unopened !== undefined) return unopened;
    if (record !== null && record.index !== String(index)) return 'another index';
    if (Number(leaf.version) <= (before?.version ?? 0)) return 'a version that does not rise';
    if (index <= (before?.index ?? -1n)) return 'an entry before that of the record before';
    const may = this.model.mayCarry(share, index);
    return may.includes(content) ? undefined : `entry ${index} carries "${content}", and may: "${may.join('" or "')}"`;
  }

  end(): { readonly records: number; readonly wrong: readonly string[] } {
    const aborted = new Map(
      [...this.entries.values()].flatMap(({ leaf, index }) =>
        leaf.of === undefined ? [] : [[leaf.of, index] as const],
      ),
    );
    for (const { leaf, index } of this.entries.values()) {
      if (leaf.kind === 'withheld' || leaf.kind === 'aborted' || this.joined.has(leaf.id)) continue;
      if ((aborted.get(leaf.id) ?? -1n) <= index) this.wrong.push(`entry ${index} (${leaf.kind}) has no record`);
    }
    for (const [subject, share] of this.shares) {
      const [is, shall] = [this.last.get(subject)?.content ?? '', this.model.carries(share)];
      if (is !== shall) this.wrong.push(`${share.recipient} ends with "${is}", and not with "${shall}"`);
    }
    return { records: this.joined.size, wrong: this.wrong };
  }
}
