import type { Leaf, LeafPurpose } from './leaf.js';

/** A record of a feed, as far as it opens an entry. */
export interface OpenableRecord {
  readonly subject: string;
  readonly version: number;
  readonly entry: string;
  readonly opening: string;
  readonly attributes: Readonly<
    Record<
      string,
      | {
          readonly value?: string;
          readonly held?: 'disputed';
          readonly purposes: readonly LeafPurpose[];
          readonly opening: string;
        }
      | undefined
    >
  >;
}

export type Opening = { readonly ok: true } | { readonly ok: false; readonly problems: readonly string[] };

/** Whether a record is the very one the leaf commits to; problems name fields, never values. */
export function opens(leaf: Leaf, record: OpenableRecord): Opening {
  void leaf;
  void record;
  throw new Error('not written yet');
}
