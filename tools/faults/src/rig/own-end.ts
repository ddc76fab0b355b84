/** Why a process ended that nobody had asked to. */
export interface OwnEnd {
  readonly why: string;
  /**
   * `away`: by its own word it could not start without what is away, and is started again. `stuck`: its consumer was; that it
   * ends then is by design, and no fault of the rig may bring it to that. Any other end is a crash.
   */
  readonly kind: 'away' | 'stuck' | 'crashed';
}

/** What a process said before it ended. */
export interface Said {
  /** That it ended, and below that its last words. */
  readonly reason: string;
  /** The line of its log that says why, where it said so. */
  readonly fatal?: string | undefined;
  /** The first line of what Node says of an error that nobody caught. */
  readonly thrown?: string | undefined;
}

interface Fatal {
  readonly err?: { readonly message?: unknown; readonly code?: unknown };
}

const STUCK = /although the broker answers$/;
/** A database or a broker that is not there, does not answer, or goes away. */
const AWAY =
  /ECONNREFUSED|ECONNRESET|EPIPE|Connection terminated|[Cc]onnection (?:error|timeout)|timeout expired|the database system is |terminating connection|did not answer in time|KafkaJS(?:Connection|RequestTimeout|NumberOfRetriesExceeded)/;

/** @param wasUp whether it had answered requests */
export function ownEndOf(wasUp: boolean, { reason, fatal, thrown }: Said): OwnEnd {
  const { err } = (fatal === undefined ? {} : JSON.parse(fatal)) as Fatal;
  const said = err?.message ?? err?.code ?? thrown;
  const why = typeof said === 'string' ? said : (reason.split(';')[0] ?? '');
  const kind = STUCK.test(why) ? 'stuck' : !wasUp && AWAY.test(why) ? 'away' : 'crashed';
  return { why: wasUp ? why : `${why}, before it was up`, kind };
}
