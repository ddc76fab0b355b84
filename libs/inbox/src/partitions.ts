type Query = (statement: string, parameters?: unknown[]) => Promise<unknown>;

const WEEK_MS = 7 * 86_400_000;
const WEEKS_AHEAD = 6;

/** The smallest UUIDv7 of an instant: ids of one time lie together, so old ones go by dropping a table. */
function firstIdOf(milliseconds: number): string {
  const hex = milliseconds.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

const nameOf = (week: number): string => `inbox_w${week}`;

async function weeks(query: Query): Promise<number[]> {
  const rows = (await query(
    `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = 'inbox'::regclass AND c.relname ~ '^inbox_w[0-9]+$'`,
  )) as { name: string }[];
  return rows.map(({ name }) => Number(name.slice('inbox_w'.length)));
}

/** Makes partitions for the weeks to come; ids of no such week go to the default partition. */
export async function createPartitions(query: Query, now: Date): Promise<void> {
  const existing = new Set(await weeks(query));
  const current = Math.floor(now.getTime() / WEEK_MS);
  for (let week = current - 1; week <= current + WEEKS_AHEAD; week += 1) {
    if (existing.has(week)) continue;
    const [from, to] = [firstIdOf(week * WEEK_MS), firstIdOf((week + 1) * WEEK_MS)];
    await query(
      `CREATE TABLE IF NOT EXISTS ${nameOf(week)} PARTITION OF inbox FOR VALUES FROM ('${from}') TO ('${to}')`,
    );
  }
}

/** Forgets ids that no topic and no parked message can bring again. */
export async function forgetOldIds(query: Query, now: Date, days: number): Promise<void> {
  const oldest = Math.floor((now.getTime() - days * 86_400_000) / WEEK_MS);
  // A week more, for clocks and late ticks.
  for (const week of await weeks(query)) if (week < oldest - 1) await query(`DROP TABLE IF EXISTS ${nameOf(week)}`);
  await query(`DELETE FROM inbox_rest WHERE received_at < now() - $1::int * interval '1 day'`, [days + 7]);
}
