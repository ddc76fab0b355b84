/** Why a process ended that nobody had asked to. */
export interface OwnEnd {
  readonly why: string;
  /** A consumer that is stuck ends its process, and is started again; anything else that ends one is a bug. */
  readonly byDesign: boolean;
}

interface Fatal {
  readonly err?: { readonly message?: unknown; readonly code?: unknown };
}

const BY_DESIGN = /although the broker answers$/;

/**
 * @param reason that it ended, and below that its last words
 * @param fatal the line of its log that says why, where it said so
 */
export function ownEndOf(reason: string, fatal: string | undefined): OwnEnd {
  const { err } = (fatal === undefined ? {} : JSON.parse(fatal)) as Fatal;
  const said = err?.message ?? err?.code;
  const why = typeof said === 'string' ? said : (reason.split(';')[0] ?? '');
  return { why, byDesign: BY_DESIGN.test(why) };
}
