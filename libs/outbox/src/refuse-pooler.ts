import type { ClientBase } from 'pg';

/**
 * Behind a pooler, what is set on a connection and what a session locks stay there for whoever gets it next: others' commits
 * would be answered before they are on disk, and a lock would outlive who took it. A pooler tells each connection a process
 * id of its own.
 * @throws Error where the connection is a pooler's, in whatever mode
 */
export async function refusePooler(client: ClientBase): Promise<void> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  if (rows[0]?.pid === processIdOf(client)) return;
  throw new Error(`the database's address is that of a pooler: it must be PostgreSQL's own`);
}

/** pg does not offer it in its types. */
const processIdOf = (client: ClientBase): number => (client as unknown as { processID: number }).processID;
