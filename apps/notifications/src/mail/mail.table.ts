import { randomUUID } from 'node:crypto';
import type { DataOf, noticeDue, NoticeKind } from '@castiron/contracts';
import type { EntityManager } from 'typeorm';

export type MailKind = NoticeKind | 'mailing';

/**
 * `waiting` for the subject's feed record; after `sending` all are ends. `expired`: the record never came. `in-doubt`: the mail
 * server has it and never said whether it took it.
 */
export type MailStatus =
  'waiting' | 'queued' | 'sending' | 'sent' | 'no-address' | 'cancelled' | 'failed' | 'expired' | 'in-doubt';

/** A mail that a worker has claimed. */
export interface ClaimedMail {
  readonly id: string;
  readonly subject: string;
  readonly kind: MailKind;
  readonly about: string | null;
  readonly mailing: string | null;
  readonly attempts: number;
  readonly createdAt: Date;
  /** A mail server has it already, and gave no answer. */
  readonly isInDoubt: boolean;
}

/** Adds the mail of a notice, once per notice. Whether it can go now says the subject's row. */
export async function addNotice(manager: EntityManager, notice: DataOf<typeof noticeDue>): Promise<void> {
  await manager.query(
    `INSERT INTO mails (id, subject, kind, notice, about, status, settled_at)
     SELECT $1, $2, $3, $4, $5, now.status, CASE WHEN now.status = 'no-address' THEN clock_timestamp() END
       FROM (SELECT coalesce((
         SELECT CASE WHEN version = 0 AND NOT deleted THEN 'waiting' WHEN notice_address THEN 'queued' ELSE 'no-address' END
           FROM subjects WHERE subject = $2), 'waiting') AS status) AS now
     ON CONFLICT (notice) DO NOTHING`,
    [randomUUID(), notice.subject, notice.kind, notice.notice, notice.about ?? null],
  );
}

/** The subjects' feed records have come: their notices can go. Whether any can. */
export async function queueWaiting(manager: EntityManager, subjects: readonly string[]): Promise<boolean> {
  const [, count]: [unknown, number] = await manager.query(
    `UPDATE mails
        SET status = CASE WHEN subjects.notice_address THEN 'queued' ELSE 'no-address' END,
            settled_at = CASE WHEN subjects.notice_address THEN NULL ELSE clock_timestamp() END,
            due_at = clock_timestamp()
       FROM subjects
      WHERE subjects.subject = mails.subject AND mails.subject = ANY ($1::uuid[]) AND mails.status = 'waiting'`,
    [subjects],
  );
  return count > 0;
}

/** Ends notices that waited `afterS` seconds for a feed record that did not come; returns how many. */
export async function expireWaiting(manager: EntityManager, afterS: number): Promise<number> {
  const [, count]: [unknown, number] = await manager.query(
    `UPDATE mails SET status = 'expired', reason = 'no-feed-record', settled_at = clock_timestamp()
      WHERE status = 'waiting' AND created_at < statement_timestamp() - make_interval(secs => $1)`,
    [afterS],
  );
  return count;
}

/**
 * Takes mails that are due, and those whose worker died: after `leaseS` it is taken that it did. Only who holds the
 * claim may settle them. Notices go first; each part reads its own index in order, however many mails there are.
 */
export async function claimMails(
  manager: EntityManager,
  options: { claim: string; limit: number; leaseS: number },
): Promise<ClaimedMail[]> {
  const [rows]: [ClaimedMail[], number] = await manager.query(
    `UPDATE mails SET status = 'sending', claim = $1, claimed_at = clock_timestamp(), attempts = attempts + 1
      WHERE id = ANY ((ARRAY(
          SELECT id FROM mails
           WHERE status = 'sending' AND claimed_at < statement_timestamp() - make_interval(secs => $3)
           ORDER BY claimed_at LIMIT $2 FOR UPDATE SKIP LOCKED)
        || ARRAY(
          SELECT id FROM mails WHERE status = 'queued' AND due_at <= statement_timestamp()
           ORDER BY kind = 'mailing', due_at LIMIT $2 FOR UPDATE SKIP LOCKED))[1:$2::int])
      RETURNING id, subject, kind, about, mailing, attempts, created_at AS "createdAt", in_doubt AS "isInDoubt"`,
    [options.claim, options.limit, options.leaseS],
  );
  return rows;
}

/** Ends a claimed mail; without effect where the claim was lost meanwhile. */
export async function settleMail(
  manager: EntityManager,
  mail: { id: string; claim: string },
  status: Extract<MailStatus, 'sent' | 'no-address' | 'cancelled' | 'failed' | 'in-doubt'>,
  reason?: string,
): Promise<void> {
  await manager.query(
    `UPDATE mails SET status = $3, reason = $4, claim = NULL, settled_at = clock_timestamp()
      WHERE id = $1 AND claim = $2 AND status = 'sending'`,
    [mail.id, mail.claim, status, reason ?? null],
  );
}

/** Puts a claimed mail back for another try. */
export async function putBack(
  manager: EntityManager,
  mail: { id: string; claim: string; isInDoubt: boolean },
  afterS: number,
  reason: string,
): Promise<void> {
  await manager.query(
    `UPDATE mails
        SET status = 'queued', reason = $4, in_doubt = $5, claim = NULL,
            due_at = clock_timestamp() + make_interval(secs => $3)
      WHERE id = $1 AND claim = $2 AND status = 'sending'`,
    [mail.id, mail.claim, afterS, reason, mail.isInDoubt],
  );
}

/** Ends the mailings of a subject that have not begun to leave. */
export async function cancelQueuedMailings(manager: EntityManager, subject: string): Promise<void> {
  await manager.query(
    `UPDATE mails SET status = 'cancelled', settled_at = clock_timestamp()
      WHERE subject = $1 AND kind = 'mailing' AND status = 'queued'`,
    [subject],
  );
}

/** Whether a mailing to the subject may be under way to the mail server at this moment. */
export async function isMailingUnderWay(manager: EntityManager, subject: string, deadlineS: number): Promise<boolean> {
  const rows: unknown[] = await manager.query(
    `SELECT FROM mails
      WHERE subject = $1 AND kind = 'mailing' AND status = 'sending'
        AND claimed_at > clock_timestamp() - make_interval(secs => $2) LIMIT 1`,
    [subject, deadlineS],
  );
  return rows.length > 0;
}
