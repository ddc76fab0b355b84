/** Why a process ended that nobody had asked to. */
export interface OwnEnd {
  readonly why: string;
  /** One that cannot start yet, and one whose consumer is stuck, end and are started again; any other end is a bug. */
  readonly byDesign: boolean;
}

interface Fatal {
  readonly err?: { readonly message?: unknown; readonly code?: unknown };
}

const BY_DESIGN = /although the broker answers$/;

/**
 * @param wasUp whether it had answered requests
 * @param reason that it ended, and below that its last words
 * @param fatal the line of its log that says why, where it said so
 */
export function ownEndOf(wasUp: boolean, reason: string, fatal: string | undefined): OwnEnd {
  const { err } = (fatal === undefined ? {} : JSON.parse(fatal)) as Fatal;
  const said = err?.message ?? err?.code;
  const why = typeof said === 'string' ? said : (reason.split(';')[0] ?? '');
  return { why: wasUp ? why : `${why}, before it was up`, byDesign: !wasUp || BY_DESIGN.test(why) };
}
