import type { Ends } from './ends.js';

/** Something that a customer asked for, in ms since the epoch. */
export interface Act {
  readonly customer: string;
  readonly kind: 'grant' | 'revoke';
  readonly invoked: number;
  /** When a revocation was answered 200, or its command was seen to be done. One without promises nothing yet. */
  readonly answered?: number;
  /** Whether it was answered 202 first. */
  readonly wasLate?: boolean;
  /** Where the feed ended, asked after the answer. */
  readonly ends?: Ends;
}

/** A record of the feed. */
export interface Sent {
  readonly customer: string;
  readonly partition: number;
  readonly offset: number;
  /** When the broker appended it, in ms since the epoch. */
  readonly at: number;
  /** Whether it carries the purpose that is revoked again and again. */
  readonly carries: boolean;
  /** The value for the purpose that stays; undefined where the record has none. */
  readonly kept: string | undefined;
}

const byCustomer = <T extends { readonly customer: string }>(all: readonly T[]): Map<string, T[]> =>
  Map.groupBy(all, ({ customer }) => customer);

/**
 * G2: once a revocation was answered, no later offset carries its purpose until it is granted anew. Later is what the broker
 * appended after the answer, by its clock, which is that of whoever asked here; and in any case what stands at or behind the
 * end that the feed had then.
 * @param acts of each customer in order
 */
export function leaksIn(acts: readonly Act[], records: readonly Sent[]): string[] {
  const carrying = byCustomer(records.filter(({ carries }) => carries));
  return [...byCustomer(acts)].flatMap(([customer, own]) =>
    own.flatMap((act, at) => {
      const { answered, ends } = act;
      if (act.kind !== 'revoke' || answered === undefined) return [];
      const grantedAgain = own.slice(at + 1).find(({ kind }) => kind === 'grant')?.invoked ?? Infinity;
      return (carrying.get(customer) ?? [])
        .filter(
          (record) =>
            record.at < grantedAgain &&
            (record.at > answered || record.offset >= (ends?.get(record.partition) ?? Infinity)),
        )
        .map(
          ({ partition, offset, at: came }) =>
            `a revocation of ${customer} was answered, and ${partition}/${offset}, which carries its purpose, came ${came - answered} ms later`,
        );
    }),
  );
}

/** The purpose that stays goes on: each customer's last record carries it, with its last value. */
export function heldUpIn(last: ReadonlyMap<string, string>, records: readonly Sent[]): string[] {
  const all = byCustomer(records);
  return [...last].flatMap(([customer, value]) => {
    const kept = all
      .get(customer)
      ?.toSorted((a, b) => a.offset - b.offset)
      .at(-1)?.kept;
    return kept === value
      ? []
      : [`${customer} stands at ${kept ?? 'nothing'} for the purpose that stays, not ${value}`];
  });
}

/** For each revocation that was answered, how long after the question the last record came that carries its purpose; 0 where none did. In ms. */
export function lastBytesOf(acts: readonly Act[], records: readonly Sent[]): number[] {
  const carrying = byCustomer(records.filter(({ carries }) => carries));
  return acts.flatMap(({ customer, kind, invoked, answered }) => {
    if (kind !== 'revoke' || answered === undefined) return [];
    const came = (carrying.get(customer) ?? []).map(({ at }) => at).filter((at) => at >= invoked && at <= answered);
    return [Math.max(0, ...came.map((at) => at - invoked))];
  });
}
