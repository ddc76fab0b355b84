import type { EntityManager } from 'typeorm';
import type { MailText } from '../mail/mail-text.js';
import type { MailStatus } from '../mail/mail.table.js';

export interface Mailing extends MailText {
  readonly id: string;
  readonly orderedBy: string;
  readonly createdAt: Date;
}

export async function insertMailing(manager: EntityManager, mailing: Mailing): Promise<void> {
  await manager.query('INSERT INTO mailings (id, subject, body, ordered_by, created_at) VALUES ($1, $2, $3, $4, $5)', [
    mailing.id,
    mailing.subject,
    mailing.text,
    mailing.orderedBy,
    mailing.createdAt,
  ]);
}

export async function wordsOfMailing(manager: EntityManager, id: string): Promise<MailText> {
  const [row]: (MailText | undefined)[] = await manager.query(
    'SELECT subject, body AS text FROM mailings WHERE id = $1',
    [id],
  );
  if (row === undefined) throw new Error('a mail of a mailing that is not there');
  return row;
}

/**
 * Writes the next mails of the oldest mailing that is not fully written, in one statement and so in one transaction: to
 * the next `limit` subjects that may be mailed now, in the order of their ids. A crash loses nothing and doubles nobody.
 * @returns whether there was anything to do
 */
export async function writeNextMails(manager: EntityManager, limit: number): Promise<boolean> {
  const [rows]: [unknown[], number] = await manager.query(
    `WITH current AS (
       SELECT id, coalesce(written_to, '00000000-0000-0000-0000-000000000000') AS written_to
         FROM mailings WHERE written_at IS NULL ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED),
     next AS (
       SELECT subject FROM subjects
        WHERE mailing = 'allowed' AND mailing_address AND subject > (SELECT written_to FROM current)
        ORDER BY subject LIMIT $1),
     added AS (
       INSERT INTO mails (id, subject, kind, mailing, status)
       SELECT gen_random_uuid(), subject, 'mailing', (SELECT id FROM current), 'queued'
         FROM next WHERE NOT EXISTS (SELECT FROM cancellations c WHERE c.subject = next.subject AND NOT c.lifted)
       ON CONFLICT (mailing, subject) DO NOTHING)
     UPDATE mailings
        SET written_to = coalesce((SELECT subject FROM next ORDER BY subject DESC LIMIT 1), mailings.written_to),
            written_at = CASE WHEN (SELECT count(*) FROM next) < $1 THEN clock_timestamp() END
       FROM current WHERE mailings.id = current.id RETURNING mailings.id`,
    [limit],
  );
  return rows.length > 0;
}

interface MailingProgress {
  readonly subject: string;
  readonly createdAt: Date;
  /** When its last mail was written; null while more are to come. */
  readonly writtenAt: Date | null;
  readonly mails: Partial<Record<MailStatus, number>>;
}

/** How many of a mailing's mails stand where; undefined where there is no such mailing. */
export async function progressOfMailing(manager: EntityManager, id: string): Promise<MailingProgress | undefined> {
  const [row]: (MailingProgress | undefined)[] = await manager.query(
    `SELECT subject, created_at AS "createdAt", written_at AS "writtenAt", coalesce((
       SELECT json_object_agg(status, count)
         FROM (SELECT status, count(*) FROM mails WHERE mailing = $1 GROUP BY status) AS counted), '{}') AS mails
       FROM mailings WHERE id = $1`,
    [id],
  );
  return row;
}
