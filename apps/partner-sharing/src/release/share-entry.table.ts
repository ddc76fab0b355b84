import type { Leaf } from '@castiron/ledger';
import type { EntityManager } from 'typeorm';

/** An entry of the ledger, and whose it is: the ledger itself does not know. */
export interface ShareEntry {
  readonly share: string;
  readonly leaf: Leaf;
  readonly index: bigint;
}

/** In one statement, for whoever appends to the ledger holds up all others. */
export async function keepShareEntries(manager: EntityManager, entries: readonly ShareEntry[]): Promise<void> {
  if (entries.length === 0) return;
  await manager.query(
    `INSERT INTO share_entries (entry, share, index, kind, version, agreement, attributes, at)
     SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::int[], $6::uuid[], $7::jsonb[], $8::timestamptz[])`,
    [
      entries.map(({ leaf }) => leaf.id),
      entries.map(({ share }) => share),
      entries.map(({ index }) => index.toString()),
      entries.map(({ leaf }) => leaf.kind),
      entries.map(({ leaf }) => leaf.version),
      entries.map(({ leaf }) => leaf.agreement),
      entries.map(({ leaf }) => JSON.stringify(leaf.attributes.map(({ name, purposes }) => ({ name, purposes })))),
      entries.map(({ leaf }) => leaf.at),
    ],
  );
}
