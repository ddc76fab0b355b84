import type { EntityManager } from 'typeorm';

/** From the begin of one resync to the begin of the next, of a recipient and of a subject, at least. */
const APART = `interval '1 hour'`;
/** Whoever asks for more of them one by one is taken to ask for all. */
const MOST_SUBJECTS = 1_000;

/** A recipient asks for all that it may hold. Sooner than it may be, it waits; while one waits, asking changes nothing. */
export async function askForAll(manager: EntityManager, recipient: string): Promise<void> {
  await manager.query(
    `INSERT INTO resyncs AS known (recipient, due_at) VALUES ($1, clock_timestamp())
     ON CONFLICT (recipient) DO UPDATE SET again = known.position IS NOT NULL,
       due_at = coalesce(known.due_at, greatest(excluded.due_at, known.begun_at + ${APART}))`,
    [recipient],
  );
}

/** A recipient asks for one of its subjects; the same goes for it. */
export async function askForOne(manager: EntityManager, recipient: string, share: string): Promise<void> {
  const lately: { many: boolean }[] = await manager.query(
    `SELECT count(*) >= $2 AS many FROM (
       SELECT FROM subject_resyncs WHERE recipient = $1 AND due_at > clock_timestamp() - ${APART} LIMIT $2) AS recent`,
    [recipient, MOST_SUBJECTS],
  );
  if (lately[0]?.many === true) return askForAll(manager, recipient);
  await manager.query(
    `WITH asked AS (
       INSERT INTO subject_resyncs AS known (share, recipient, due_at) VALUES ($1, $2, clock_timestamp())
       ON CONFLICT (share) DO UPDATE SET due_at = greatest(excluded.due_at, known.due_at + ${APART})
         WHERE known.due_at <= clock_timestamp()
       RETURNING share, due_at)
     INSERT INTO pending_releases (lane, share, cause, not_before)
       SELECT s.lane, s.id, 'resync-requested', asked.due_at FROM asked JOIN shares s ON s.id = asked.share`,
    [share, recipient],
  );
}

/** A resync whose next chunk is due; the caller's transaction holds it. */
export interface DueResync {
  readonly recipient: string;
  readonly position: string | null;
}

/** The one that waits longest, so that all have their turns. */
export async function takeDueResync(manager: EntityManager): Promise<DueResync | undefined> {
  const rows: DueResync[] = await manager.query(
    `SELECT recipient, position FROM resyncs WHERE due_at <= clock_timestamp()
     ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED`,
  );
  return rows[0];
}

/** @param position the last share of the chunk; undefined where there was none, and the resync is over */
export async function settleChunk(manager: EntityManager, recipient: string, position?: string): Promise<void> {
  await manager.query(
    `UPDATE resyncs SET begun_at = CASE WHEN position IS NULL THEN clock_timestamp() ELSE begun_at END, position = $2,
       due_at = CASE WHEN $2::uuid IS NOT NULL THEN clock_timestamp() WHEN again THEN begun_at + ${APART} END,
       again = again AND $2::uuid IS NOT NULL
     WHERE recipient = $1`,
    [recipient, position ?? null],
  );
}
