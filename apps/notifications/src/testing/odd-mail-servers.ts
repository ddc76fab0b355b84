import { createServer, type Server } from 'node:net';

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

/** Takes mails, and says so of none before it is let. */
export async function hesitantServer(): Promise<OddMailServer & { readonly taken: number; answer(): void }> {
  let taken = 0;
  let answer = (): void => undefined;
  const allowed = new Promise<void>((resolve) => (answer = resolve));
  const server = await listen(
    createServer((socket) => {
      let mail: string | undefined;
      socket.on('error', () => undefined).write('220 ready\r\n');
      socket.on('data', (bytes) => {
        if (mail === undefined) {
          const begins = /^DATA/i.test(bytes.toString());
          if (begins) mail = '';
          return void socket.write(begins ? '354 go on\r\n' : '250 ok\r\n');
        }
        mail += bytes.toString();
        if (!mail.endsWith('\r\n.\r\n')) return;
        mail = undefined;
        taken += 1;
        void allowed.then(() => socket.write('250 taken\r\n'));
      });
    }),
  );
  return {
    ...server,
    get taken() {
      return taken;
    },
    answer,
  };
}
