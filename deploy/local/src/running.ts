import { randomUUID } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { CannotStart } from './cannot-start.js';

/** What a claim's file says; who holds the claim answers its mark on its port. */
interface Claim {
  readonly pid: number;
  readonly port: number;
  readonly mark: string;
}

const ANSWERS_WITHIN_MS = 2000;

function answers({ port, mark }: Claim): Promise<boolean> {
  return new Promise((resolve) => {
    let heard = '';
    const socket = connect({ port, host: '127.0.0.1', timeout: ANSWERS_WITHIN_MS });
    socket.setEncoding('utf8').on('data', (text: string) => (heard += text));
    socket.on('timeout', () => socket.destroy()).on('error', () => undefined);
    socket.on('close', () => resolve(heard === mark));
  });
}

/** Who holds the folder; a claim whose holder was killed does not count, nor does one whose number is another's now. */
async function holderOf(file: string): Promise<Claim | undefined> {
  try {
    const claim = JSON.parse(await readFile(file, 'utf8')) as Claim;
    return (await answers(claim)) ? claim : undefined;
  } catch {
    return undefined;
  }
}

/** Says that a data folder is in use by this process; refuses where another still uses it. */
export async function claimFolder(file: string): Promise<() => Promise<void>> {
  const holder = await holderOf(file);
  if (holder !== undefined) {
    throw new CannotStart(`Castiron runs already from this folder, as process ${holder.pid}: stop that one first.`);
  }
  const mark = randomUUID();
  const server: Server = createServer((socket) => socket.on('error', () => undefined).end(mark));
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  server.unref();
  const claim: Claim = { pid: process.pid, port: (server.address() as AddressInfo).port, mark };
  await rm(file, { force: true });
  try {
    await writeFile(file, JSON.stringify(claim), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    server.close();
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new CannotStart('Castiron is just being started from this folder by another process.');
  }
  return async () => {
    server.close();
    await rm(file, { force: true });
  };
}
