import pg from 'pg';

/** The databases of the services, each with a role that can reach no other; key custody has one of its own. */
const DATABASES = ['customer-profiles', 'customer-keys', 'partner-sharing', 'notifications'] as const;
export type DatabaseName = (typeof DATABASES)[number];

export interface PostgresServer {
  readonly host: string;
  readonly port: number;
}

const urlOf = (server: PostgresServer, user: string, password: string, database: string) =>
  `postgresql://${user}:${password}@${server.host}:${server.port}/${database}`;

export const adminUrl = (server: PostgresServer, password: string): string =>
  urlOf(server, 'admin', password, 'postgres');

/** Makes what is missing and returns how each service reaches its own database. */
export async function createDatabases(
  server: PostgresServer,
  admin: string,
  passwordOf: (name: string) => string,
): Promise<Record<DatabaseName, string>> {
  const client = new pg.Client({ connectionString: admin });
  await client.connect();
  try {
    const urls: Partial<Record<DatabaseName, string>> = {};
    for (const name of DATABASES) {
      const password = passwordOf(name);
      const { rowCount } = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [name]);
      if (rowCount === 0) await client.query(`CREATE ROLE "${name}" LOGIN PASSWORD '${password}'`);
      const existing = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
      if (existing.rowCount === 0) await client.query(`CREATE DATABASE "${name}" OWNER "${name}"`);
      await client.query(`REVOKE CONNECT ON DATABASE "${name}" FROM PUBLIC`);
      urls[name] = urlOf(server, name, password, name);
    }
    return urls as Record<DatabaseName, string>;
  } finally {
    await client.end();
  }
}
