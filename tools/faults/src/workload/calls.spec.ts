import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Calls } from './calls.js';

const json = (answer: ServerResponse, status: number, body: string): void =>
  void answer.writeHead(status, { 'content-type': 'application/json' }).end(body);

const ANSWERS: Readonly<Record<string, (answer: ServerResponse) => void>> = {
  '/token': (answer) => json(answer, 200, '{"access_token":"token"}'),
  '/fine': (answer) => json(answer, 200, '{"version":1}'),
  '/passing': (answer) => json(answer, 503, '{"code":"stopping"}'),
  '/bug': (answer) => json(answer, 500, '{"code":"internal-error"}'),
  '/broken': (answer) => json(answer, 200, '{"version":'),
  // Its service died.
  '/half': (answer) => {
    answer.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 }).write('{"version":');
    setImmediate(() => answer.destroy());
  },
};

let server: Server;
let base: string;
let calls: Calls;
beforeEach(async () => {
  server = createServer((asked, answer) => ANSWERS[asked.url ?? '']?.(answer));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const minting = { id: 'faults', secret: 'secret' };
  // Sound: nothing else of the identity provider is asked for.
  calls = new Calls({ token: `${base}/token`, minting } as unknown as ConstructorParameters<typeof Calls>[0]);
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const ask = (path: string) => calls.call({ method: 'GET', url: `${base}${path}`, as: ['a', 'b'] });

it('answers of 5xx are kept, and those whose body is not what it says', async () => {
  expect(await ask('/fine')).toEqual({ kind: 'answer', status: 200, body: { version: 1 } });
  expect(await ask('/passing')).toMatchObject({ kind: 'answer', status: 503 });
  expect(await ask('/bug')).toMatchObject({ kind: 'answer', status: 500 });
  expect(await ask('/broken')).toEqual({ kind: 'silence', reason: 'broken JSON' });
  expect(calls.troubled).toEqual([
    { question: 'GET /passing', status: 503, isRead: true },
    { question: 'GET /bug', status: 500, isRead: true },
    { question: 'GET /broken', status: 200, isRead: false },
  ]);
});

it('an answer that breaks off is silence, and nobody is blamed for it', async () => {
  expect(await ask('/half')).toMatchObject({ kind: 'silence' });
  expect(calls.troubled).toEqual([]);
});
