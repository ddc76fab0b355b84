import pg from 'pg';

export type PostgresSettings = Readonly<Record<string, string | number>>;

/** How a server is set up, wherever it runs. */
export const postgresSettings = (keep: boolean, more: PostgresSettings = {}): PostgresSettings => ({
  max_connections: 300,
  max_locks_per_transaction: 256,
  shared_buffers: '128MB',
  fsync: keep ? 'on' : 'off',
  log_min_messages: 'warning',
  // A statement that failed may carry personal data in its text or parameters.
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  timezone: 'UTC',
  ...more,
});

/** The same as arguments of the server. */
export const asArguments = (settings: PostgresSettings): string[] =>
  Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);

const ACCEPTS_WITHIN_MS = 30_000;
const PAUSE_MS = 50;

/** Resolves once the server answers the superuser; until then it refuses, starts up, or is not there. */
export async function acceptsConnections(port: number, password: string): Promise<void> {
  const deadline = Date.now() + ACCEPTS_WITHIN_MS;
  for (;;) {
    const client = new pg.Client({ host: '127.0.0.1', port, user: 'admin', password, database: 'postgres' });
    // A server that goes down while it answers must not take us with it.
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}
