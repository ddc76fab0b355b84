/** A mail that could not leave within this time never does: the news in it is old. */
const GIVE_UP_AFTER_MS = 4 * 86_400_000;

const FIRST_PAUSE_S = 2;
const LONGEST_PAUSE_S = 900;

/** Seconds until the next try, or undefined: no more. */
export function nextTryAfter(mail: { attempts: number; createdAt: Date }, now: Date): number | undefined {
  if (now.getTime() - mail.createdAt.getTime() > GIVE_UP_AFTER_MS) return undefined;
  return Math.min(FIRST_PAUSE_S * 2 ** Math.min(mail.attempts - 1, 30), LONGEST_PAUSE_S);
}
