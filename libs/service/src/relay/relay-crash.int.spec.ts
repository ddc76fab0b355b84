import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { newKey } from '@castiron/encryption';
import { eventually, freshDatabaseUrl } from '@castiron/testing';
import { afterAll, beforeAll, expect, inject, it, onTestFinished } from 'vitest';
import { environmentOf } from '../testing/environment.js';
import type { Asked } from './relay-thread.js';

/** Compiled, as a process of its own has it. */
const PROGRAM = join(import.meta.dirname, '../../dist/testing/small-service.js');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'castiron-relay-'));
  await writeFile(join(folder, 'service.key'), newKey().toString('base64'), { mode: 0o600 });
});
afterAll(() => rm(folder, { recursive: true }));

/** Loaded in each thread of a process: that of the relay has a bug, which comes to light when it is first asked for this. */
const withBug = (bug: string, when: Asked): string =>
  `data:text/javascript,${encodeURIComponent(`
    import { isMainThread, parentPort } from 'node:worker_threads';
    if (!isMainThread) parentPort.on('message', (asked) => { if (asked === '${when}') { ${bug} } });
  `)}`;

interface Line {
  readonly level: string;
  readonly msg: string;
  readonly url?: string;
}

async function startWith(bug: string, when: Asked) {
  const { issuer } = inject('stack').identity;
  const own = { principal: 'notifications', issuer, databaseUrl: await freshDatabaseUrl() };
  const settings = { ...environmentOf({ ...own, keyFile: join(folder, 'service.key') }), LOG_LEVEL: 'info' };
  const service = spawn(process.execPath, ['--import', withBug(bug, when), PROGRAM, JSON.stringify(settings)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {},
  });
  onTestFinished(() => void service.kill('SIGKILL'));
  const lines: Line[] = [];
  createInterface(service.stdout).on('line', (line) => lines.push(JSON.parse(line) as Line));
  const url = await eventually(() => lines.find(({ msg }) => msg === 'listening')?.url ?? false);
  return { service, lines, url: String(url) };
}

it.each([
  ['that nobody catches', `throw new Error('a bug of the relay')`],
  ['in a promise that nobody awaits', `void Promise.reject(new Error('a bug of the relay'))`],
])('an error in the thread of the relay %s ends the whole service, which says why', async (_where, bug) => {
  const { service, lines, url } = await startWith(bug, 'wake');
  expect((await fetch(`${url}/health/live`)).status).toBe(200);
  const ended = once(service, 'close');
  service.stdin.write('\n');
  expect(await ended).toEqual([1, null]);
  expect(lines.filter(({ level }) => level === 'fatal')).toMatchObject([
    { msg: 'ending after a crash', err: { message: 'a bug of the relay' } },
  ]);
});

it('a thread of the relay that never ends does not keep the service from ending, with 1 and a word about it', async () => {
  const { service, lines } = await startWith('Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);', 'stop');
  const ended = once(service, 'close');
  service.kill('SIGTERM');
  expect(await ended).toEqual([1, null]);
  expect(lines.filter(({ level }) => level === 'error')).toMatchObject([{ msg: 'did not stop in time' }]);
});
