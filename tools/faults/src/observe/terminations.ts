import type { Databases } from './databases.js';

/** The command by which an agreement was ended. It is committed with that. */
export async function terminationOf(databases: Databases, agreement: string): Promise<string | undefined> {
  const [row] = await databases.query<{ id: string }>(
    'partner-sharing',
    `SELECT id FROM commands WHERE kind = 'agreement-termination' AND target = $1`,
    [agreement],
  );
  return row?.id;
}
