import { createServer, Socket, type AddressInfo } from 'node:net';

/**
 * Stands on the wire between a service and its database. `open` lets everything pass. `deaf` lets what is asked pass and
 * drops the answers, for good: connections that were open stay half open. `silent` lets nothing pass, either way. `cut` ends all connections and takes no new one.
 */
export interface DatabaseValve {
  state: 'open' | 'deaf' | 'silent' | 'cut';
  /** Lets the next request that holds these bytes pass, and is deaf from then on: it is carried out, and nobody hears so. */
  deafAfter: string | undefined;
  /** Tells who connects from now on another process id, as a pooler does. */
  pools: boolean;
  /** Connections that were not taken because it was cut. */
  readonly turnedAway: number;
  /** The address of the database through the valve. */
  readonly url: string;
  /** Another server takes its place, under the same address and with the same login. */
  moveTo(database: string): void;
  close(): Promise<void>;
}

/** BackendKeyData of PostgreSQL's protocol: `K`, its length, the process id, a secret. */
const KEY_DATA = Buffer.from([0x4b, 0, 0, 0, 12]);

function withOtherProcessId(bytes: Buffer): Buffer {
  const at = bytes.indexOf(KEY_DATA);
  if (at !== -1) bytes.writeInt32BE(bytes.readInt32BE(at + KEY_DATA.length) + 1, at + KEY_DATA.length);
  return bytes;
}

export async function openDatabaseValve(database: string): Promise<DatabaseValve> {
  let { hostname, port } = new URL(database);
  const sockets = new Set<Socket>();
  let turnedAway = 0;
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = new Socket();
    const end = (): void => {
      for (const socket of [near, far]) {
        sockets.delete(socket);
        socket.destroy();
      }
    };
    for (const socket of [near, far]) sockets.add(socket.on('error', end).on('close', end));
    if (valve.state === 'cut') {
      turnedAway += 1;
      return void end();
    }
    near.on('end', () => {
      if (valve.state !== 'silent') near.end();
    });
    far.connect(Number(port), hostname);
    near.on('data', (bytes: Buffer) => {
      if (valve.state === 'cut') return end();
      if (valve.state === 'silent') return;
      if (valve.deafAfter !== undefined && bytes.includes(valve.deafAfter)) {
        valve.state = 'deaf';
        valve.deafAfter = undefined;
      }
      far.write(bytes);
    });
    far.on('data', (bytes: Buffer) => {
      if (valve.state === 'open') near.write(valve.pools ? withOtherProcessId(bytes) : bytes);
      if (valve.state === 'cut') end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const through = new URL(database);
  through.hostname = '127.0.0.1';
  through.port = String((server.address() as AddressInfo).port);
  const valve: DatabaseValve = {
    state: 'open',
    deafAfter: undefined,
    pools: false,
    get turnedAway() {
      return turnedAway;
    },
    url: through.href,
    moveTo: (other) => {
      ({ hostname, port } = new URL(other));
      for (const socket of sockets) socket.destroy();
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
  return valve;
}
