import type { PoolConfig } from 'pg';
import { STATEMENT_TIMEOUT_MS } from './patience.js';
import { PatientClient } from './patient-client.js';

/** How long to wait for a connection: for one to become free, for a new one, or for both. */
export const CONNECT_TIMEOUT_MS = 2_000;
/** Ends a transaction that was forgotten. */
const IDLE_IN_TRANSACTION_MS = 30_000;
/** How soon the database looks whether who asked is still there: a statement that nobody waits for may hold locks. */
const LOOK_FOR_CLIENT_MS = 2_000;

/** How each connection of a service behaves, whichever pool it is of. */
export const connectionTo = (url: string): PoolConfig => ({
  connectionString: url,
  connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  Client: PatientClient,
  statement_timeout: STATEMENT_TIMEOUT_MS,
  idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
  options: `-c client_connection_check_interval=${LOOK_FOR_CLIENT_MS}`,
});
