import { createServer, Socket, type AddressInfo } from 'node:net';

/**
 * Stands on the wire between a client and the broker.
 * `open` lets everything pass. `deaf` lets requests pass and keeps the answers back. `cut` lets requests pass, drops their
 * answers with the connection, and takes no new one. `held` keeps requests back, also of who has gone meanwhile, until they
 * are let go.
 */
export type ValveState = 'open' | 'deaf' | 'cut' | 'held';

export interface Valve {
  state: ValveState;
  readonly port: number;
  /** How many bytes are held back. */
  readonly heldBytes: number;
  /** How many pieces the broker has answered with. */
  readonly answers: number;
  /** Lets what is held go to the broker, before anything that comes after it. */
  letGo(): void;
  close(): Promise<void>;
}

/** @param broker `host:port` */
export async function openValve(broker: string): Promise<Valve> {
  const colon = broker.lastIndexOf(':');
  const sockets = new Set<Socket>();
  let answers = 0;
  let held: { readonly far: Socket; readonly bytes: Buffer }[] = [];
  const server = createServer((near) => {
    if (valve.state === 'cut') {
      near.destroy();
      return;
    }
    const far = new Socket().connect(Number(broker.slice(colon + 1)), broker.slice(0, colon));
    const end = (): void => {
      near.destroy();
      // What is held back is on its way, whatever became of its sender.
      if (held.every((one) => one.far !== far)) far.destroy();
    };
    for (const socket of [near, far]) {
      sockets.add(
        socket
          .on('error', end)
          .on('close', end)
          .on('close', () => sockets.delete(socket)),
      );
    }
    near.on('data', (bytes) => {
      if (valve.state === 'held') held.push({ far, bytes });
      else far.write(bytes);
    });
    far.on('data', (bytes) => {
      answers += 1;
      if (valve.state === 'open' || valve.state === 'held') near.write(bytes);
      if (valve.state === 'cut') end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const valve: Valve = {
    state: 'open',
    port: (server.address() as AddressInfo).port,
    get answers() {
      return answers;
    },
    get heldBytes() {
      return held.reduce((sum, { bytes }) => sum + bytes.length, 0);
    },
    letGo() {
      for (const { far, bytes } of held) far.write(bytes);
      held = [];
      valve.state = 'open';
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
  return valve;
}
