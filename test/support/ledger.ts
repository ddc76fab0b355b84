import type { Leaf } from '@castiron/ledger';
import pg from 'pg';
import type { Castiron } from './castiron.js';

export interface LedgerEntry {
  readonly index: string;
  readonly leaf: Leaf;
}

async function connected<T>({ endpoints }: Castiron, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: endpoints.postgres['partner-sharing'] });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The ledger as it stands in its database, in order; of one recipient or of all. */
export const ledgerOf = (castiron: Castiron, recipient?: string): Promise<LedgerEntry[]> =>
  connected(castiron, async (client) => {
    const { rows } = await client.query<{ index: string; leaf: string }>(
      'SELECT index, leaf FROM ledger_entries WHERE $1::text IS NULL OR recipient = $1 ORDER BY index',
      [recipient ?? null],
    );
    return rows.map(({ index, leaf }) => ({ index, leaf: JSON.parse(leaf) as Leaf }));
  });

/** Works while an entry's row says something else, as whoever owns the database can have it; then it is as it was. */
export const whileTampered = <T>(
  castiron: Castiron,
  { index, leaf }: LedgerEntry,
  attributes: Leaf['attributes'],
  work: () => Promise<T>,
): Promise<T> =>
  connected(castiron, async (client) => {
    const { rows } = await client.query<{ leaf: string }>('SELECT leaf FROM ledger_entries WHERE index = $1', [index]);
    const write = async (text: string): Promise<void> => {
      await client.query('BEGIN; ALTER TABLE ledger_entries DISABLE TRIGGER ledger_is_only_appended_to');
      await client.query('UPDATE ledger_entries SET leaf = $2 WHERE index = $1', [index, text]);
      await client.query('ALTER TABLE ledger_entries ENABLE TRIGGER ledger_is_only_appended_to; COMMIT');
    };
    await write(JSON.stringify({ ...leaf, attributes }));
    try {
      return await work();
    } finally {
      await write(rows[0]?.leaf ?? '');
    }
  });
