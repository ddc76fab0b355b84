/** The work did not end in time. What it did so far is unknown. */
export class DeadlineExceeded extends Error {
  override readonly name = 'DeadlineExceeded';
  /** For those who ask whether trying again makes sense. */
  readonly retriable = true;
}

/** kafkajs's own timeouts bound single requests, not a call with its retries. */
export async function within<T>(milliseconds: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new DeadlineExceeded(`${what} took longer than ${milliseconds} ms`)), milliseconds);
  });
  // The work may still fail after its deadline; nobody waits for that any more.
  work.catch(() => undefined);
  try {
    return await Promise.race([work, expired]);
  } finally {
    clearTimeout(timer);
  }
}
