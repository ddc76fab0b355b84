import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { newKey } from '@castiron/encryption';
import { eventually, freshDatabaseUrl } from '@castiron/testing';
import { afterAll, beforeAll, expect, inject, it, onTestFinished } from 'vitest';

/** Compiled, as a process of its own has it. */
const PROGRAM = join(import.meta.dirname, '../../dist/testing/small-service.js');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'castiron-relay-'));
  await writeFile(join(folder, 'service.key'), newKey().toString('base64'), { mode: 0o600 });
});
afterAll(() => rm(folder, { recursive: true }));

/** Loaded in each thread of a process: that of the relay has a bug, which comes to light with the first news. */
const withBug = (bug: string): string =>
  `data:text/javascript,${encodeURIComponent(`
    import { isMainThread, parentPort } from 'node:worker_threads';
    if (!isMainThread) parentPort.on('message', (asked) => { if (asked === 'wake') { ${bug} } });
  `)}`;

interface Line {
  readonly level: string;
  readonly msg: string;
  readonly url?: string;
}

async function startWith(bug: string) {
  const { kafka, identity } = inject('stack');
  const settings = {
    CASTIRON_PORT: '0',
    OIDC_ISSUER: identity.issuer,
    DATABASE_URL: await freshDatabaseUrl(),
    KAFKA_BROKERS: kafka.bootstrap,
    KAFKA_USERNAME: kafka.principals['notifications']?.username,
    KAFKA_PASSWORD: kafka.principals['notifications']?.password,
    SERVICE_KEY_FILE: join(folder, 'service.key'),
  };
  const service = spawn(process.execPath, ['--import', withBug(bug), PROGRAM, JSON.stringify(settings)], {
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
  const { service, lines, url } = await startWith(bug);
  expect((await fetch(`${url}/health/live`)).status).toBe(200);
  const ended = once(service, 'close');
  service.stdin.write('\n');
  expect(await ended).toEqual([1, null]);
  expect(lines.filter(({ level }) => level === 'fatal')).toMatchObject([
    { msg: 'ending after a crash', err: { message: 'a bug of the relay' } },
  ]);
});
