import { Retryable } from './delivery.js';

/** Errors of sockets and name look-ups (Node's system error codes, and undici's). */
const NETWORK_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_SOCKET',
]);

/**
 * SQLSTATE classes and codes that say nothing about the statement itself: connection (08), transaction rollback
 * such as serialisation failures and deadlocks (40), insufficient resources (53), operator intervention (57),
 * system errors (58), lock_not_available (55P03), idle_in_transaction_session_timeout and transaction_timeout (25P03, 25P04),
 * read only (25006), and a prepared statement that the connection no longer has (26000), as after DISCARD ALL or behind a
 * pooler.
 */
const SQLSTATE = /^(?:08|40|53|57|58)[0-9A-Z]{3}$|^55P03$|^25P0[34]$|^25006$|^26000$/;

/** query_canceled: the statement timeout, that is. */
const TOO_LONG = '57014';

/** What node-postgres and its pool throw without a code when a connection goes. */
const CONNECTION_LOST =
  /^Connection terminated|^timeout exceeded when trying to connect|^Client has encountered a connection error|^timeout expired|^Query read timeout|^Cannot use a pool after calling end/i;

/** Deep enough for an ORM's error around a driver's error around a socket's, and an end to cyclic causes. */
const MAX_DEPTH = 5;

/**
 * Whether an error comes from a database or network that may be back soon, so that trying again is worth it.
 * Looks through `cause`, TypeORM's `driverError` and aggregated errors. Everything unknown is not passing: it is a bug.
 */
export function isPassing(error: unknown): boolean {
  return passes(error, MAX_DEPTH);
}

/** Whether the database gave a statement up because it took too long: less of it may do, and the same again may not. */
export function tookTooLong(error: unknown): boolean {
  const { code, driverError } = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>;
  return code === TOO_LONG || (driverError !== undefined && tookTooLong(driverError));
}

function passes(error: unknown, depth: number): boolean {
  if (depth === 0 || typeof error !== 'object' || error === null) return false;
  if (error instanceof Retryable) return true;
  const { code, retriable, message, name, cause, driverError, errors } = error as Record<string, unknown>;
  if (typeof code === 'string' && (NETWORK_CODES.has(code) || SQLSTATE.test(code))) return true;
  // Kafka clients say so themselves.
  if (retriable === true) return true;
  if (name === 'TimeoutError') return true;
  // TypeORM lets go of a connection that breaks between two statements of a transaction, and says so with the next one: by
  // the first name where the next comes from within TypeORM, by the second where it is asked of an entity manager.
  if (name === 'QueryRunnerAlreadyReleasedError' || name === 'QueryRunnerProviderAlreadyReleasedError') return true;
  if (typeof message === 'string' && CONNECTION_LOST.test(message)) return true;
  if (passes(cause, depth - 1) || passes(driverError, depth - 1)) return true;
  return Array.isArray(errors) && errors.some((one) => passes(one, depth - 1));
}
