import { pauseAfter } from '@castiron/failures';
import type { MailKind } from './mail.table.js';

/** A mail that could not leave within this time never does: the news in it is old. */
const GIVE_UP_AFTER_MS = 4 * 86_400_000;

const PAUSE_S = { first: 2, longest: 900 };

/** Seconds until the next try, or undefined: no more. */
export function nextTryAfter(mail: { attempts: number; createdAt: Date }, now: Date): number | undefined {
  if (now.getTime() - mail.createdAt.getTime() > GIVE_UP_AFTER_MS) return undefined;
  return pauseAfter(mail.attempts, PAUSE_S);
}

/** So late that the mail server is likely to be well again. */
const PAUSE_IN_DOUBT_S = 3_600;

/**
 * As above, of a mail that the server has and gave no answer to: each try may be one more copy. A notice is owed, and one
 * too many does less harm than none: it goes once more. A mailing is not: who gets it twice is annoyed, who misses it is not.
 */
export function nextTryInDoubt(mail: { kind: MailKind; isInDoubt: boolean }): number | undefined {
  return mail.kind === 'mailing' || mail.isInDoubt ? undefined : PAUSE_IN_DOUBT_S;
}
