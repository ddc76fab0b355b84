import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Stack } from '@castiron/local-stack';

/**
 * Lets tests, which run in processes of their own, hold the broker up: `POST /kafka/freeze` and `POST /kafka/thaw`, each
 * answered 204 once it is so, at a loopback address.
 */
export async function serveControl(stack: Stack): Promise<{ readonly url: string; stop(): void }> {
  const actions: Readonly<Record<string, () => Promise<void>>> = {
    '/kafka/freeze': () => stack.parts.kafka.freeze(),
    '/kafka/thaw': () => stack.parts.kafka.thaw(),
  };
  const server = createServer((request, response) => {
    const action = actions[request.url ?? ''];
    if (action === undefined || request.method !== 'POST') return void response.writeHead(404).end();
    action().then(
      () => response.writeHead(204).end(),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, stop: () => void server.close() };
}
