import type { EntityManager } from 'typeorm';

/**
 * After the last other record of a feed. The first may come just too early to end the segment in which that record stands,
 * the second ends it, and the third is for a clock that jumps.
 */
const TICKS = 3;
/** Of the time from one tick to the next: whoever took a tick on and has not sent it by then is gone. */
const CLAIM = 0.1;

/**
 * Notes which feeds were written to since the last look: the ledger knows, whatever came of the send. What is being sent right
 * now may stand there some seconds later.
 * @param everyMs from one tick of a feed to the next
 */
export async function noteAppends(manager: EntityManager, everyMs: number): Promise<void> {
  await manager.query(
    `INSERT INTO feed_ticks AS known (recipient, entry_index, ticks_left, due_at)
     SELECT r.slug, last.index, $1, clock_timestamp() + make_interval(secs => $2)
     FROM recipients r
       CROSS JOIN LATERAL (SELECT index FROM ledger_entries WHERE recipient = r.slug ORDER BY index DESC LIMIT 1) last
     WHERE NOT EXISTS (SELECT FROM feed_ticks seen WHERE seen.recipient = r.slug AND seen.entry_index >= last.index)
     ON CONFLICT (recipient) DO UPDATE SET entry_index = excluded.entry_index, ticks_left = excluded.ticks_left,
       -- A feed that is written to all the time may have a partition that is not.
       due_at = coalesce(known.due_at, excluded.due_at)
     WHERE known.entry_index < excluded.entry_index`,
    [TICKS, everyMs / 1000],
  );
}

/**
 * Takes on the tick of a feed that is due; nobody else has it for a tenth of the period. One that is due later than any can
 * be is of before the database's clock was set back.
 * @returns the recipient; undefined where none is due
 */
export async function takeDueTick(manager: EntityManager, everyMs: number): Promise<string | undefined> {
  const [rows]: [{ recipient: string }[], number] = await manager.query(
    `UPDATE feed_ticks SET due_at = clock_timestamp() + make_interval(secs => $1) WHERE recipient = (
       SELECT recipient FROM feed_ticks
       WHERE due_at NOT BETWEEN clock_timestamp() AND clock_timestamp() + 2 * make_interval(secs => $2)
       ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
     RETURNING recipient`,
    [(CLAIM * everyMs) / 1000, everyMs / 1000],
  );
  return rows[0]?.recipient;
}

/** The tick stands on the feed. */
export async function settleTick(manager: EntityManager, recipient: string, everyMs: number): Promise<void> {
  await manager.query(
    `UPDATE feed_ticks SET ticks_left = ticks_left - 1,
       due_at = CASE WHEN ticks_left > 1 THEN clock_timestamp() + make_interval(secs => $2) END
     WHERE recipient = $1 AND ticks_left > 0`,
    [recipient, everyMs / 1000],
  );
}
