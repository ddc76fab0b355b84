import { NotInLog } from './log-source.js';

/** A log is not what was signed: the first such entry is one of those from `from` up to `to` (not included). */
export class LogAltered extends Error {
  override readonly name = 'LogAltered';

  constructor(
    readonly from: number,
    readonly to: number,
    what: string,
    options?: ErrorOptions,
  ) {
    super(to === from + 1 ? `entry ${from}: ${what}` : `entries ${from} to ${to - 1}: ${what}`, options);
  }
}

/** What to throw where these entries, or hashes over them, could not be read: a log that is away for a while is not altered. */
export const unreadable = (from: number, to: number, what: string, cause: unknown): unknown =>
  cause instanceof NotInLog || cause instanceof RangeError ? new LogAltered(from, to, what, { cause }) : cause;
