import { createServer, Socket, type AddressInfo } from 'node:net';

/**
 * Stands on the wire between a client and the broker.
 * `open` lets everything pass. `deaf` lets requests pass and keeps the answers back. `cut` lets requests pass, drops their
 * answers with the connection, and takes no new one.
 */
export type ValveState = 'open' | 'deaf' | 'cut';

export interface Valve {
  state: ValveState;
  readonly port: number;
  close(): Promise<void>;
}

/** @param broker `host:port` */
export async function openValve(broker: string): Promise<Valve> {
  const colon = broker.lastIndexOf(':');
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    if (valve.state === 'cut') {
      near.destroy();
      return;
    }
    const far = new Socket().connect(Number(broker.slice(colon + 1)), broker.slice(0, colon));
    const end = (): void => {
      for (const socket of [near, far]) {
        sockets.delete(socket);
        socket.destroy();
      }
    };
    for (const socket of [near, far]) sockets.add(socket.on('error', end).on('close', end));
    near.on('data', (bytes) => far.write(bytes));
    far.on('data', (bytes) => {
      if (valve.state === 'open') near.write(bytes);
      if (valve.state === 'cut') end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const valve: Valve = {
    state: 'open',
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
  return valve;
}
