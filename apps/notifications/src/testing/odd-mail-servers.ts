import { createServer, type Server, type Socket } from 'node:net';

export interface OddMailServer {
  readonly url: string;
  close(): Promise<void>;
}

async function listen(server: Server): Promise<OddMailServer> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    url: `smtp://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Knows nobody. */
export const refusingServer = (): Promise<OddMailServer> =>
  listen(
    createServer((socket) => {
      socket.on('error', () => undefined).write('220 ready\r\n');
      socket.on('data', (line) => {
        socket.write(/^RCPT/i.test(line.toString()) ? '550 nobody here\r\n' : '250 ok\r\n');
      });
    }),
  );

/** Takes connections and says nothing until it is ended. */
export async function stallingServer(): Promise<OddMailServer & { end(): void }> {
  const sockets: { destroy(): unknown }[] = [];
  const server = await listen(
    createServer((socket) => {
      sockets.push(socket.on('error', () => undefined));
    }),
  );
  return { ...server, end: () => sockets.forEach((socket) => socket.destroy()) };
}

/** Takes no mail, for now, or hangs up: before it lets one come, or instead of an answer to it. */
export const unwillingServer = (how: 'refuses' | 'lets none come' | 'gives no answer'): Promise<TakingServer> =>
  takingServer({
    begins: (socket) => (how === 'lets none come' ? socket.destroy() : socket.write(GO_ON)),
    ends: (socket) => (how === 'refuses' ? socket.write('451 later\r\n') : socket.destroy()),
  });

/** Takes mails, and says so of none before it is let. */
export async function hesitantServer(): Promise<TakingServer & { answer(): void }> {
  let answer = (): void => undefined;
  const allowed = new Promise<void>((resolve) => (answer = resolve));
  const server = await takingServer({
    begins: (socket) => socket.write(GO_ON),
    ends: (socket) => void allowed.then(() => socket.write('250 taken\r\n')),
  });
  return { ...server, answer };
}

interface TakingServer extends OddMailServer {
  /** What it has, as it came. */
  readonly mails: readonly string[];
}

const GO_ON = '354 go on\r\n';

async function takingServer(how: {
  begins(socket: Socket): unknown;
  ends(socket: Socket): unknown;
}): Promise<TakingServer> {
  const mails: string[] = [];
  const server = await listen(
    createServer((socket) => {
      let mail: string | undefined;
      socket.on('error', () => undefined).write('220 ready\r\n');
      socket.on('data', (bytes) => {
        if (mail === undefined) {
          if (!/^DATA/i.test(bytes.toString())) return void socket.write('250 ok\r\n');
          mail = '';
          return void how.begins(socket);
        }
        mail += bytes.toString();
        if (!mail.endsWith('\r\n.\r\n')) return;
        mails.push(mail);
        mail = undefined;
        how.ends(socket);
      });
    }),
  );
  return { ...server, mails };
}
