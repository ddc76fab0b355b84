import { once } from 'node:events';
import { createServer, Socket, type AddressInfo } from 'node:net';

/** Stands between a client and PostgreSQL, and keeps back the answer to some COMMITs, with the connection. */
export interface CommitCutter {
  readonly url: string;
  /** How many answers are still to be kept back. */
  left: number;
  close(): void;
}

export async function cutCommits(database: string): Promise<CommitCutter> {
  const target = new URL(database);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = new Socket().connect(Number(target.port), target.hostname);
    let cutting = false;
    const end = (): void => {
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) sockets.add(socket.on('error', end).on('close', end));
    near.on('data', (bytes) => {
      // With its end, for each transaction begins by saying READ COMMITTED.
      if (cutter.left > 0 && bytes.includes('COMMIT\0')) {
        cutter.left -= 1;
        cutting = true;
      }
      far.write(bytes);
    });
    // The database says that it has committed; answers to what was asked before may come by themselves.
    far.on('data', (bytes) => (cutting && bytes.includes('COMMIT\0') ? end() : near.write(bytes)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(database);
  url.port = String((server.address() as AddressInfo).port);
  url.hostname = '127.0.0.1';
  const cutter: CommitCutter = {
    url: url.href,
    left: 0,
    close: () => {
      sockets.forEach((socket) => socket.destroy());
      server.close();
    },
  };
  return cutter;
}
