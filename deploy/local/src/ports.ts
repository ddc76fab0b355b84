import { createServer, type AddressInfo, type Server } from 'node:net';
import { keep, readKept } from './kept-json.js';

function listenOn(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

const close = (server: Server) => new Promise<void>((resolve) => server.close(() => resolve()));

/**
 * Free ports, one per name: those of the last time where they are still free, so that bookmarks and open clients
 * survive a restart, else any. All are held open until the last is chosen, so that no two names get the same.
 */
export async function choosePorts<Name extends string>(
  names: readonly Name[],
  memory: string,
): Promise<Record<Name, number>> {
  const last: Partial<Record<Name, number>> = (await readKept(memory)) ?? {};
  const servers: Server[] = [];
  const chosen: Partial<Record<Name, number>> = {};
  for (const name of names) {
    const server = (await listenOn(last[name] ?? 0)) ?? (await listenOn(0));
    if (server === undefined) throw new Error('no free port on 127.0.0.1');
    servers.push(server);
    chosen[name] = (server.address() as AddressInfo).port;
  }
  await Promise.all(servers.map(close));
  await keep(memory, { ...last, ...chosen });
  return chosen as Record<Name, number>;
}
