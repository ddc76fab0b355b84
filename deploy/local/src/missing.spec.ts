import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { missingAt } from './missing.js';

it('a service is at work once it answers requests and what goes on beside them is well, too', async () => {
  let state: object = { ok: true, checks: {}, background: { inbox: 'failed' } };
  const server = createServer((_request, response) => response.end(JSON.stringify(state))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  expect(await missingAt(url)).toContain('"inbox":"failed"');
  state = { ok: false, checks: { database: 'failed' }, background: { inbox: 'ok' } };
  expect(await missingAt(url)).toContain('"database":"failed"');
  state = { ok: true, checks: { database: 'ok' }, background: { inbox: 'ok' } };
  expect(await missingAt(url)).toBeUndefined();
  state = { ok: true, checks: {}, background: { inbox: 'failed', restore: 'failed' } };
  expect(await missingAt(url), 'until somebody has it recover').toBeUndefined();
  server.close();
  await once(server, 'close');
  expect(await missingAt(url)).toBe('it does not answer');
});
