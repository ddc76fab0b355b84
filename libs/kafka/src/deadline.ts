/** The work did not end in time. What it did so far is unknown. */
export class DeadlineExceeded extends Error {
  override readonly name = 'DeadlineExceeded';
  /** For those who ask whether trying again makes sense. */
  readonly retriable = true;
}

/** What whoever closes gives to what is under way, in ms: a service that stops has ten seconds for all of it. */
export const CLOSING_MS = 1_000;

/**
 * kafkajs's own timeouts bound single requests, not a call with its retries.
 * @param given ends the wait at once where it is given up
 */
export async function within<T>(milliseconds: number, what: string, work: Promise<T>, given?: AbortSignal): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let giveUp: () => void = () => undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new DeadlineExceeded(`${what} took longer than ${milliseconds} ms`)), milliseconds);
    giveUp = () => reject(new Error(`${what} was given up`));
  });
  given?.addEventListener('abort', giveUp);
  if (given?.aborted === true) giveUp();
  // The work may still fail after its deadline; nobody waits for that any more.
  work.catch(() => undefined);
  try {
    return await Promise.race([work, expired]);
  } finally {
    clearTimeout(timer);
    given?.removeEventListener('abort', giveUp);
  }
}
