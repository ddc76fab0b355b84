import type { PoolConfig } from 'pg';
import { STATEMENT_TIMEOUT_MS } from './patience.js';
import { PatientClient } from './patient-client.js';

/** How long to wait for a connection: for one to become free, for a new one, or for both. */
export const CONNECT_TIMEOUT_MS = 2_000;
/** Ends a transaction that was forgotten. */
const IDLE_IN_TRANSACTION_MS = 30_000;
/** How soon the database looks whether who asked is still there: a statement that nobody waits for may hold locks. */
const LOOK_FOR_CLIENT_MS = 2_000;

/** With an option beside those of its own: given apart from an address, it would not be there where the address has any. */
function withOption(url: string, option: string): string {
  const address = new URL(url);
  const options = address.searchParams.get('options');
  address.searchParams.set('options', options === null ? option : `${options} ${option}`);
  return address.href;
}

/** How each connection of a service behaves, whichever pool it is of. */
export const connectionTo = (url: string): PoolConfig => ({
  connectionString: withOption(url, `-c client_connection_check_interval=${LOOK_FOR_CLIENT_MS}`),
  connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  Client: PatientClient,
  statement_timeout: STATEMENT_TIMEOUT_MS,
  idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
});
