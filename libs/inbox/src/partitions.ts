import { ID_DAYS } from './id-time.js';

type Query = (statement: string, parameters?: unknown[]) => Promise<unknown>;

const WEEK_MS = 7 * 86_400_000;
const WEEKS_AHEAD = 6;
/** There is one for each id that a recipient may choose, in a new database too. */
const WEEKS_BEHIND = Math.ceil(ID_DAYS / 7);
/** What is forgotten in one statement, and at a time. */
const SLICE = 10_000;
const SLICES = 20;

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

/** Handlers hold the tables for as long as they work; who waits for them must not keep others waiting. */
const LOCK_TIMEOUT = `SET LOCAL lock_timeout = '500ms'`;

/**
 * Makes partitions for the last weeks and those to come; ids of no such week go to the default partition. An id is its
 * sender's own choice, so the default one may hold ids of a week that is only made now: they move, or the week could not
 * be attached. Runs in a transaction of its own.
 */
export async function createPartitions(query: Query, now: Date): Promise<void> {
  const current = Math.floor(now.getTime() / WEEK_MS);
  const wanted = Array.from({ length: WEEKS_BEHIND + 1 + WEEKS_AHEAD }, (_, n) => current - WEEKS_BEHIND + n);
  const missing = async (): Promise<number[]> => {
    const existing = await weeks(query);
    return wanted.filter((week) => !existing.includes(week));
  };
  if ((await missing()).length === 0) return;
  await query(LOCK_TIMEOUT);
  await query(`LOCK TABLE inbox_rest IN ACCESS EXCLUSIVE MODE`);
  // Asked again: another process may have made them while this one waited.
  for (const week of await missing()) {
    const [name, from, to] = [nameOf(week), firstIdOf(week * WEEK_MS), firstIdOf((week + 1) * WEEK_MS)];
    await query(`CREATE TABLE ${name} (LIKE inbox INCLUDING ALL)`);
    await query(
      `WITH moved AS (DELETE FROM inbox_rest WHERE event_id >= '${from}' AND event_id < '${to}' RETURNING *)
       INSERT INTO ${name} SELECT * FROM moved`,
    );
    await query(`ALTER TABLE inbox ATTACH PARTITION ${name} FOR VALUES FROM ('${from}') TO ('${to}')`);
  }
}

/**
 * Drops weeks whose ids no topic and no parked message can bring again, by the earlier of two clocks: what one that is wrong
 * dropped would be handled again. Runs in a transaction of its own.
 * @param now by this process's clock; the other one is the database's
 */
export async function dropOldWeeks(query: Query, now: Date, days: number): Promise<void> {
  await query(LOCK_TIMEOUT);
  const [database] = (await query('SELECT now() AS now')) as { now: Date }[];
  const earlier = Math.min(now.getTime(), database?.now.getTime() ?? 0);
  const oldest = Math.floor((earlier - days * 86_400_000) / WEEK_MS);
  // A week more, for clocks and late ticks.
  for (const week of await weeks(query)) if (week < oldest - 1) await query(`DROP TABLE IF EXISTS ${nameOf(week)}`);
}

/**
 * The same of ids of no such week, in slices: many of them would take longer than a statement may, and be there for good.
 * By itself: who drops a week keeps everybody out of the inbox until its commit.
 */
export async function forgetOldIdsOfNoWeek(query: Query, days: number): Promise<void> {
  for (let slice = 0; slice < SLICES; slice += 1) {
    const [gone] = (await query(
      `WITH gone AS (
         DELETE FROM inbox_rest WHERE ctid = ANY (ARRAY(
           SELECT ctid FROM inbox_rest WHERE received_at < now() - $1::int * interval '1 day' LIMIT $2))
         RETURNING 1
       ) SELECT count(*)::int AS n FROM gone`,
      [days + 7, SLICE],
    )) as { n: number }[];
    if ((gone?.n ?? 0) < SLICE) return;
  }
}
