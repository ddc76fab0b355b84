import type { Client } from 'pg';

/** What an import fills, in an order in which it can be filled again. */
export const CUSTOMER_TABLES = ['customers', 'attribute_values', 'import_keys', 'outbox'] as const;
export const KEY_TABLES = ['customer_keys'] as const;

const BATCH_ROWS = 500;

interface Column {
  readonly name: string;
  readonly type: string;
}

async function columnsOf(client: Client, table: string): Promise<Column[]> {
  const { rows } = await client.query<Column>(
    `SELECT quote_ident(attname) AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
      WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
    [table],
  );
  return rows;
}

/** `($1::uuid,$2::text),($3::uuid,...` for so many rows. */
function placeholders(columns: readonly Column[], rows: number): string {
  const row = (at: number) => columns.map(({ type }, column) => `$${at * columns.length + column + 1}::${type}`).join();
  return Array.from({ length: rows }, (_, at) => `(${row(at)})`).join();
}

export interface Inserted {
  readonly rows: number;
  readonly ms: number;
}

/**
 * Inserts all rows of a table into a new one with the same columns, checks and indexes, as a script would that cares for
 * nothing else: 500 rows at a time. Only the inserting is timed, not the reading.
 */
async function insertAgain(client: Client, table: string): Promise<Inserted> {
  await client.query(`CREATE TABLE bare_${table} (LIKE ${table} INCLUDING ALL)`);
  const columns = await columnsOf(client, table);
  const names = columns.map(({ name }) => name).join();
  // As text: what PostgreSQL wrote, it reads again, whatever the type.
  const { rows } = await client.query<string[]>({
    text: `SELECT ${columns.map(({ name }) => `${name}::text`).join()} FROM ${table}`,
    rowMode: 'array',
  });
  const whole = `INSERT INTO bare_${table} (${names}) VALUES ${placeholders(columns, BATCH_ROWS)}`;
  const started = performance.now();
  for (let at = 0; at < rows.length; at += BATCH_ROWS) {
    const batch = rows.slice(at, at + BATCH_ROWS);
    const text =
      batch.length === BATCH_ROWS
        ? whole
        : `INSERT INTO bare_${table} (${names}) VALUES ${placeholders(columns, batch.length)}`;
    await client.query(text, batch.flat());
  }
  return { rows: rows.length, ms: performance.now() - started };
}

/** @returns rows and time over all these tables */
export async function insertAllAgain(client: Client, tables: readonly string[]): Promise<Inserted> {
  let [rows, ms] = [0, 0];
  for (const table of tables) {
    const inserted = await insertAgain(client, table);
    rows += inserted.rows;
    ms += inserted.ms;
  }
  return { rows, ms };
}
