import pg from 'pg';
import type { Castiron } from './castiron.js';

type Named = 'customer-profiles' | 'customer-keys' | 'partner-sharing';

const copyOf = (database: Named): string => `${database}-backup`;

async function asAdmin<T>(castiron: Castiron, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: castiron.endpoints.postgres['admin'] });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** A copy of a database, file by file, in the place of a former one. Its service must not run. */
export const backUp = (castiron: Castiron, database: Named): Promise<void> =>
  asAdmin(castiron, async (client) => {
    await client.query(`DROP DATABASE IF EXISTS "${copyOf(database)}"`);
    await client.query(`CREATE DATABASE "${copyOf(database)}" TEMPLATE "${database}"`);
  });

/** The database as it was when it was backed up; what came since is gone. Its service must not run. */
export const restore = (castiron: Castiron, database: Named): Promise<void> =>
  asAdmin(castiron, async (client) => {
    await client.query(`DROP DATABASE "${database}" WITH (FORCE)`);
    await client.query(`CREATE DATABASE "${database}" TEMPLATE "${copyOf(database)}" OWNER "${database}"`);
    await client.query(`REVOKE CONNECT ON DATABASE "${database}" FROM PUBLIC`);
  });
