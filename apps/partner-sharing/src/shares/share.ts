import type { AttributeName, Ground, PurposeName } from '@castiron/contracts';

/** `none`: never anything on the feed. `withdrawn`: a record without attributes. `ended`: the tombstone came after it. */
export type ShareState = 'none' | 'released' | 'withdrawn' | 'ended';

/** One attribute that is on the feed: its name and source version, never its value. */
export interface Holding {
  readonly name: AttributeName;
  /** The profile's version at which the value was given. */
  readonly version: number;
  readonly purposes: readonly { readonly purpose: PurposeName; readonly ground: Ground }[];
}

/** Comparable text of what is held; the database does not keep the order of a JSON object's names. */
export function fingerprintOf(holds: readonly Holding[], mailing: string): string {
  const parts = holds.map(
    ({ name, version, purposes }) =>
      `${name}@${version}:${purposes.map((one) => `${one.purpose}/${one.ground}`).join(',')}`,
  );
  return [mailing, ...parts.sort()].join(';');
}
