/** A reason that is told to the person at the terminal as it is, in one sentence, without a stack trace. */
export class CannotStart extends Error {
  override readonly name = 'CannotStart';
}

const DISK: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'the disk is read-only',
  ENOSPC: 'the disk is full',
};

/** Why it stops, in words for the person at the terminal. */
export function reasonOf(error: unknown): string {
  if (error instanceof CannotStart) return error.message;
  const { code, path, message } = error as NodeJS.ErrnoException;
  const why = DISK[code ?? ''];
  if (path !== undefined && why !== undefined) return `Castiron cannot use ${path}: ${why}.`;
  return `Castiron stops: ${message}`;
}
