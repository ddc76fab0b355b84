/** Why a request or command is turned down. Expected, told to the caller, and never a bug. */
export type RefusalKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not-found'
  | 'conflict'
  | 'stale'
  | 'precondition-required'
  | 'too-large'
  | 'unprocessable'
  | 'unavailable';

/** A refusal as a value: callers decide on `code`, people read `detail`. Neither carries personal data. */
export interface Refusal {
  readonly kind: RefusalKind;
  /** Stable and kebab-case; a change of it breaks callers. */
  readonly code: string;
  readonly detail: string;
  /** The field of the request that is at fault, as a path (`attributes.companyName`). */
  readonly field?: string;
  /** The promise of the statement that refused, such as `P1`. */
  readonly promise?: string;
  /** Where the cause passes by itself: after how many seconds it is worth asking again. */
  readonly retryAfter?: number;
  readonly [extra: string]: unknown;
}

/** What a decision or use case answers. */
export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: Refusal };

export const ok = <T>(value: T): Result<T> => ({ ok: true, value });

export const refused = (refusal: Refusal): Result<never> => ({ ok: false, refusal });

/** A refusal thrown, only to leave a transaction or a controller: it rolls back and passes on. */
export class Refused extends Error {
  override readonly name = 'Refused';

  constructor(readonly refusal: Refusal) {
    super(`${refusal.code}: ${refusal.detail}`);
  }
}

/** The value of a result; throws {@link Refused} where there is none. */
export function valueOf<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new Refused(result.refusal);
}
