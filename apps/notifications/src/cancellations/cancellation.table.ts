import type { EntityManager } from 'typeorm';

/** Of these subjects, those whose cancellation is in effect, with the time of the last one. */
export async function cancellationsOf(manager: EntityManager, subjects: readonly string[]): Promise<Map<string, Date>> {
  const rows: { subject: string; at: Date }[] = await manager.query(
    'SELECT subject, at FROM cancellations WHERE subject = ANY ($1::uuid[]) AND NOT lifted',
    [subjects],
  );
  return new Map(rows.map(({ subject, at }) => [subject, at]));
}

export async function isCancelled(manager: EntityManager, subject: string): Promise<boolean> {
  return (await cancellationsOf(manager, [subject])).has(subject);
}

export interface NewCancellation {
  /** By the database's clock, in whole ms, and later than any before. */
  readonly at: Date;
  /** Whether one is in effect that came within the last minute. */
  readonly isRepeated: boolean;
}

/**
 * Under the lock of the subject's order.
 * @param isTold whether it is published in the same transaction, or is yet to be told of
 */
export async function putCancellation(
  manager: EntityManager,
  subject: string,
  isTold: boolean,
): Promise<NewCancellation> {
  const rows: NewCancellation[] = await manager.query(
    `WITH before AS (SELECT at, lifted FROM cancellations WHERE subject = $1)
     INSERT INTO cancellations AS c (subject, at, told) VALUES ($1, date_trunc('milliseconds', clock_timestamp()), $2)
     ON CONFLICT (subject) DO UPDATE
       SET at = greatest(excluded.at, c.at + interval '1 millisecond'), lifted = false, told = excluded.told
     RETURNING at, EXISTS (SELECT FROM before b
                            WHERE NOT b.lifted AND b.at > clock_timestamp() - interval '1 minute') AS "isRepeated"`,
    [subject, isTold],
  );
  const [cancellation] = rows;
  if (cancellation === undefined) throw new Error('a cancellation was not stored');
  return cancellation;
}

export async function liftCancellations(manager: EntityManager, subjects: readonly string[]): Promise<void> {
  if (subjects.length > 0)
    await manager.query('UPDATE cancellations SET lifted = true WHERE subject = ANY ($1::uuid[])', [subjects]);
}

/** Subjects of whose last cancellation nobody was told, so many at most. */
export async function subjectsToTellOf(manager: EntityManager, limit: number): Promise<readonly string[]> {
  const rows: { subject: string }[] = await manager.query('SELECT subject FROM cancellations WHERE NOT told LIMIT $1', [
    limit,
  ]);
  return rows.map(({ subject }) => subject);
}

/** Marks those as told of that are still to be, and gives them. */
export async function takeToTellOf(
  manager: EntityManager,
  subjects: readonly string[],
): Promise<readonly { readonly subject: string; readonly at: Date }[]> {
  const [rows]: [{ subject: string; at: Date }[], number] = await manager.query(
    'UPDATE cancellations SET told = true WHERE subject = ANY ($1::uuid[]) AND NOT told RETURNING subject, at',
    [subjects],
  );
  return rows;
}
