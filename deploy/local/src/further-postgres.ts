import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseBackend } from './choose-backend.js';
import { adminUrl } from './databases.js';
import { choosePorts } from './ports.js';
import type { PostgresSettings } from './postgres-settings.js';

/** A further server with nothing in it, for what has to come from one cluster to another. Its data goes with it. */
export async function startFurtherPostgres(
  settings: PostgresSettings = {},
): Promise<{ readonly admin: string; stop(): Promise<void> }> {
  const dataDir = join(tmpdir(), `castiron-postgres-${randomUUID()}`);
  const clear = (): Promise<void> => rm(dataDir, { recursive: true, force: true, maxRetries: 3 });
  try {
    // The server runs as somebody else where we are root.
    await mkdir(dataDir, { mode: 0o755 });
    const backend = await chooseBackend(undefined);
    const { postgres: port } = await choosePorts(['postgres'], join(dataDir, 'ports.json'));
    const password = randomBytes(16).toString('hex');
    const server = await backend.startPostgres({
      dataDir: join(dataDir, 'postgres'),
      port,
      password,
      keep: false,
      settings,
    });
    return {
      admin: adminUrl({ host: '127.0.0.1', port }, password),
      stop: async () => {
        await server.stop();
        await clear();
      },
    };
  } catch (error) {
    await clear();
    throw error;
  }
}
