import type { EntityManager } from 'typeorm';

/** Of these subjects, those that cancelled their mailings, with the time of the last cancellation. */
export async function cancellationsOf(manager: EntityManager, subjects: readonly string[]): Promise<Map<string, Date>> {
  const rows: { subject: string; at: Date }[] = await manager.query(
    'SELECT subject, at FROM cancellations WHERE subject = ANY ($1::uuid[])',
    [subjects],
  );
  return new Map(rows.map(({ subject, at }) => [subject, at]));
}

export async function isCancelled(manager: EntityManager, subject: string): Promise<boolean> {
  return (await cancellationsOf(manager, [subject])).has(subject);
}

/** @returns whether it is the first one in effect */
export async function putCancellation(manager: EntityManager, subject: string, at: Date): Promise<boolean> {
  const [{ first }]: [{ first: boolean }] = await manager.query(
    `INSERT INTO cancellations AS c (subject, at) VALUES ($1, $2)
     ON CONFLICT (subject) DO UPDATE SET at = greatest(c.at, excluded.at)
     RETURNING xmax = 0 AS first`,
    [subject, at],
  );
  return first;
}

export async function liftCancellations(manager: EntityManager, subjects: readonly string[]): Promise<void> {
  if (subjects.length > 0)
    await manager.query('DELETE FROM cancellations WHERE subject = ANY ($1::uuid[])', [subjects]);
}
