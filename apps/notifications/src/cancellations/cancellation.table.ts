import type { EntityManager } from 'typeorm';
import type { Cancellation } from './cancellation.decision.js';

export async function cancellationOf(manager: EntityManager, subject: string): Promise<Cancellation | undefined> {
  return (await cancellationsOf(manager, [subject])).get(subject);
}

/** Of these subjects, those that have one. */
export async function cancellationsOf(
  manager: EntityManager,
  subjects: readonly string[],
): Promise<Map<string, Cancellation>> {
  const rows: (Cancellation & { subject: string })[] = await manager.query(
    'SELECT subject, at, version, feed_stopped AS "feedStopped" FROM cancellations WHERE subject = ANY ($1::uuid[])',
    [subjects],
  );
  return new Map(rows.map(({ subject, ...cancellation }) => [subject, cancellation]));
}

export async function isCancelled(manager: EntityManager, subject: string): Promise<boolean> {
  return (await cancellationOf(manager, subject)) !== undefined;
}

export async function putCancellation(
  manager: EntityManager,
  subject: string,
  cancellation: Cancellation,
): Promise<void> {
  await manager.query(
    `INSERT INTO cancellations (subject, at, version, feed_stopped) VALUES ($1, $2, $3, $4)
     ON CONFLICT (subject) DO UPDATE
       SET at = excluded.at, version = excluded.version, feed_stopped = excluded.feed_stopped`,
    [subject, cancellation.at, cancellation.version, cancellation.feedStopped],
  );
}

export async function liftCancellation(manager: EntityManager, subject: string): Promise<void> {
  await manager.query('DELETE FROM cancellations WHERE subject = $1', [subject]);
}
