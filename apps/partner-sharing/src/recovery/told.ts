import { decodeMessage, type DataOf, type EventContract } from '@castiron/contracts';
import type { OwnRecord } from '@castiron/outbox';

/** What was told of one key behind the marks, in order. */
export interface Told<Data> {
  readonly key: string;
  /** By a life of the database that was lost. */
  readonly lost: readonly Data[];
}

/** By key, of those keys of which a lost life told something. Deletions tell nothing that is to be kept to. */
export function toldOf<Contract extends EventContract>(
  records: readonly OwnRecord[],
  contract: Contract,
): readonly Told<DataOf<Contract>>[] {
  const told = new Map<string, DataOf<Contract>[]>();
  for (const record of records) {
    if (record.isKnown) continue;
    const decoded = decodeMessage(record, [contract]);
    if (!decoded.ok || decoded.event.data === null) continue;
    const { key, data } = decoded.event;
    told.set(key, [...(told.get(key) ?? []), data as DataOf<Contract>]);
  }
  return [...told].map(([key, lost]) => ({ key, lost }));
}
