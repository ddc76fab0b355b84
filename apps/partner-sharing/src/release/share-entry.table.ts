import type { Leaf } from '@castiron/ledger';
import type { EntityManager } from 'typeorm';
import type { DecidedOn } from './decided-on.js';

/** An entry of the ledger, and whose it is: the ledger itself does not know. */
export interface ShareEntry {
  readonly share: string;
  readonly leaf: Leaf;
  readonly index: bigint;
  /** Missing where the entry tells of no decision. */
  readonly decidedOn?: DecidedOn | null;
}

/** In one statement, for whoever appends to the ledger holds up all others. */
export async function keepShareEntries(manager: EntityManager, entries: readonly ShareEntry[]): Promise<void> {
  if (entries.length === 0) return;
  await manager.query(
    `INSERT INTO share_entries (entry, share, index, kind, version, agreement, attributes, at, decided_on)
     SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::int[], $6::uuid[], $7::jsonb[], $8::timestamptz[], $9::jsonb[])`,
    [
      entries.map(({ leaf }) => leaf.id),
      entries.map(({ share }) => share),
      entries.map(({ index }) => index.toString()),
      entries.map(({ leaf }) => leaf.kind),
      entries.map(({ leaf }) => leaf.version),
      entries.map(({ leaf }) => leaf.agreement),
      entries.map(({ leaf }) => JSON.stringify(leaf.attributes.map(({ name, purposes }) => ({ name, purposes })))),
      entries.map(({ leaf }) => leaf.at),
      entries.map(({ decidedOn }) => (decidedOn ? JSON.stringify(decidedOn) : null)),
    ],
  );
}

/** What entries about these customers were decided on goes with the customers. */
export async function forgetDecidedOn(manager: EntityManager, customers: readonly string[]): Promise<void> {
  await manager.query(
    `UPDATE share_entries SET decided_on = NULL FROM shares
     WHERE shares.id = share_entries.share AND shares.customer = ANY($1::uuid[]) AND decided_on IS NOT NULL`,
    [customers],
  );
}
