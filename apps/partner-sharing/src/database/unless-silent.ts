/**
 * For the select list of a statement that takes locks for which everybody waits: the transaction that holds them ends by
 * itself where its process falls silent in the middle. Of a host that lost its network PostgreSQL hears nothing, and would
 * keep them for as long as any transaction may be forgotten; a revocation gets its lock before its request is given up.
 */
export const UNLESS_SILENT = `set_config('idle_in_transaction_session_timeout', '2s', true)`;
