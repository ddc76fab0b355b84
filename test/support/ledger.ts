import type { Leaf } from '@castiron/ledger';
import pg from 'pg';
import type { Castiron } from './castiron.js';

export interface LedgerEntry {
  readonly index: string;
  readonly leaf: Leaf;
}

/** The ledger as it stands in its database, in order; of one recipient or of all. */
export async function ledgerOf(castiron: Castiron, recipient?: string): Promise<LedgerEntry[]> {
  const client = new pg.Client({ connectionString: castiron.endpoints.postgres['partner-sharing'] });
  await client.connect();
  try {
    const { rows } = await client.query<{ index: string; leaf: string }>(
      'SELECT index, leaf FROM ledger_entries WHERE $1::text IS NULL OR recipient = $1 ORDER BY index',
      [recipient ?? null],
    );
    return rows.map(({ index, leaf }) => ({ index, leaf: JSON.parse(leaf) as Leaf }));
  } finally {
    await client.end();
  }
}
