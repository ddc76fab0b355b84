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

/** How many of a mailing's mails stand where; undefined where there is no such mailing. */
export async function progressOfMailing(
  manager: EntityManager,
  id: string,
): Promise<{ subject: string; createdAt: Date; mails: Partial<Record<MailStatus, number>> } | undefined> {
  const [row]: ({ subject: string; createdAt: Date; mails: Partial<Record<MailStatus, number>> } | undefined)[] =
    await manager.query(
      `SELECT subject, created_at AS "createdAt", coalesce((
         SELECT json_object_agg(status, count)
           FROM (SELECT status, count(*) FROM mails WHERE mailing = $1 GROUP BY status) AS counted), '{}') AS mails
         FROM mailings WHERE id = $1`,
      [id],
    );
  return row;
}
