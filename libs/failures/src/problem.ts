import { NoRoom } from './delivery.js';
import { isPassing } from './passing.js';
import { Refused, type Refusal, type RefusalKind } from './refusal.js';

/** RFC 9457 problem details, served as `application/problem+json`. */
export interface ProblemDetails {
  /** A URN, since the problem types are explained in the documentation and not on some host. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly code: string;
  readonly field?: string;
  readonly promise?: string;
  readonly [extra: string]: unknown;
}

const HTTP: Readonly<Record<RefusalKind, { readonly status: number; readonly title: string }>> = {
  invalid: { status: 400, title: 'The request is not valid' },
  unauthenticated: { status: 401, title: 'The caller is not known' },
  forbidden: { status: 403, title: 'The caller may not do this' },
  'not-found': { status: 404, title: 'There is no such thing' },
  conflict: { status: 409, title: 'The request conflicts with the present state' },
  stale: { status: 412, title: 'The precondition no longer holds' },
  'too-large': { status: 413, title: 'The request is too large' },
  unprocessable: { status: 422, title: 'The request cannot be carried out' },
  'precondition-required': { status: 428, title: 'A precondition is required' },
  unavailable: { status: 503, title: 'The service cannot do this now' },
};

function problemOfRefusal(refusal: Refusal): { status: number; body: ProblemDetails } {
  const { kind, code, detail, field, promise, ...extra } = refusal;
  const { status, title } = HTTP[kind];
  // Extras come first, so that none of them can replace a standard member.
  return {
    status,
    body: {
      ...extra,
      type: `urn:castiron:problem:${code}`,
      title,
      status,
      detail,
      code,
      ...(field !== undefined && { field }),
      ...(promise !== undefined && { promise }),
    },
  };
}

/** Told instead of carrying out what adds or widens. */
const OUTBOX_FULL: Refusal = {
  kind: 'unavailable',
  code: 'outbox-full',
  detail:
    'Too much waits to be published. Adding is refused until it is less; what takes away is carried out as always.',
  retryAfter: 10,
};

/**
 * The one place where failures become HTTP answers. A refusal says why; a passing failure says to try again;
 * anything else is a bug and shows nothing of itself, since messages of drivers repeat values.
 */
export function problemOf(error: unknown): { status: number; body: ProblemDetails } {
  if (error instanceof Refused) return problemOfRefusal(error.refusal);
  if (error instanceof NoRoom) return problemOfRefusal(OUTBOX_FULL);
  if (isPassing(error)) {
    return problemOfRefusal({
      kind: 'unavailable',
      code: 'temporarily-unavailable',
      detail: 'Please try again shortly, a change with the Idempotency-Key it had: it may have taken effect.',
    });
  }
  return {
    status: 500,
    body: {
      type: 'urn:castiron:problem:internal-error',
      title: 'Something went wrong here',
      status: 500,
      code: 'internal-error',
    },
  };
}
