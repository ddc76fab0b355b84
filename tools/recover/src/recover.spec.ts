import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { recover, type Ending } from './recover.js';
import { Mistake, type Recovery } from './services.js';

/** A service's side, as `libs/service` has it: restore-guard.int.spec.ts holds it to that. */
let state: Recovery;
let asked: unknown[];
let afterwards: (dryRun: boolean) => Recovery;
let server: Server;
let said: string[];

const BEHIND: Recovery = {
  fenced: true,
  because: {
    reason: 'behind',
    gaps: [{ topic: 'things.v1', records: 3, from: 'A', until: 'B' }],
    found: 'something else',
  },
};
const ran = (dryRun: boolean, ending: 'done' | 'failed'): NonNullable<Recovery['run']> => ({
  state: ending,
  dryRun,
  phase: '',
  counts: { 'permissions revoked': 7 },
  notes: ['A note.'],
  window: { from: 'C', lagMs: 12 },
});

beforeEach(async () => {
  [asked, said] = [[], []];
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (bytes: Buffer) => (body += bytes.toString()));
    request.on('end', () => {
      if (request.method === 'POST') {
        const { dryRun } = JSON.parse(body) as { dryRun: boolean };
        asked.push(dryRun);
        state = afterwards(dryRun);
      }
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(state));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

const run = (isMeant: boolean): Promise<Ending> => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return recover({ name: 'svc', url, token: 't' }, isMeant, { say: (line) => said.push(line), progress: () => {} });
};

it('a service that has lost nothing is left alone', async () => {
  state = { fenced: false };
  expect(await run(true)).toBe('fine');
  expect(asked).toEqual([]);
});

it('unless it is meant, it is only told what would be done', async () => {
  state = BEHIND;
  afterwards = (dryRun) => ({ ...BEHIND, run: ran(dryRun, 'done') });
  expect(await run(false)).toBe('to-do');
  expect(asked).toEqual([true]);
  const all = said.join('\n');
  for (const part of [
    'things.v1: 3 records',
    'something else',
    '7 permissions revoked',
    'A note.',
    'from C on',
    '--yes',
  ])
    expect(all).toContain(part);
});

it('it ends well where the service goes on, and not where it does not, or could not recover', async () => {
  state = BEHIND;
  afterwards = (dryRun) => ({ fenced: false, run: ran(dryRun, 'done') });
  expect(await run(true)).toBe('fine');
  expect(asked).toEqual([false]);
  state = BEHIND;
  afterwards = (dryRun) => ({ ...BEHIND, run: ran(dryRun, 'done') });
  expect(await run(true)).toBe('failed');
  state = BEHIND;
  afterwards = (dryRun) => ({ ...BEHIND, run: ran(dryRun, 'failed') });
  expect(await run(true)).toBe('failed');
});

it('nothing is asked of a service that cannot read its topics, and who does not answer is named', async () => {
  state = { fenced: true, because: { reason: 'unread' } };
  expect(await run(true)).toBe('failed');
  expect(asked).toEqual([]);
  const silent = { name: 'svc', url: 'http://127.0.0.1:1', token: 't' };
  await expect(recover(silent, true, { say: () => {}, progress: () => {} })).rejects.toThrow(Mistake);
});
