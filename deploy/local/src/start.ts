import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { reasonOf } from './cannot-start.js';
import { startCastiron } from './castiron.js';
import { DOT_CASTIRON } from './places.js';
import { claimFolder } from './running.js';
import { loadSample } from './sample.js';
import { screenOf } from './screen.js';
import { endpointsOf, startStack } from './stack.js';

// What `npm start` runs once everything is installed and compiled.

const { values: options } = parseArgs({
  options: { fresh: { type: 'boolean', default: false }, sample: { type: 'boolean', default: true } },
  allowNegative: true,
});

const dataDir = join(DOT_CASTIRON, 'local');
const endpointsFile = join(DOT_CASTIRON, 'endpoints.json');
const began = performance.now();
const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Ctrl-C, a request to end, or the end of who started us. */
const asked = new Promise<undefined>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve(undefined));
  process.on('disconnect', () => resolve(undefined));
});
// The terminal may be gone before we are.
process.stdout.on('error', () => undefined);

const stops: (() => Promise<unknown>)[] = [];
async function stopAll(): Promise<void> {
  for (const stop of stops.splice(0)) await stop();
}

/** Starts everything and then waits for the reason to end: undefined where a person asked. */
async function run(): Promise<string | undefined> {
  await mkdir(DOT_CASTIRON, { recursive: true });
  stops.unshift(await claimFolder(join(DOT_CASTIRON, 'local.pid')));
  say('Starting Kafka, PostgreSQL, the identity provider and the mail sink ...');
  const stack = await startStack({ dataDir, fresh: options.fresh });
  stops.unshift(() => stack.stop());
  say('Starting the services ...');
  const castiron = await Promise.race([
    startCastiron(stack),
    stack.broken.then((reason) => Promise.reject(new Error(reason))),
  ]);
  stops.unshift(() => castiron.stop());
  const broken = Promise.race([stack.broken, castiron.broken]);
  if (options.sample) say('Loading the sample ...');
  const loading = options.sample ? loadSample(castiron, dataDir) : Promise.resolve(castiron.endpoints);
  const endpoints = await Promise.race([loading, broken.then((reason) => Promise.reject(new Error(reason)))]);
  await writeFile(endpointsFile, JSON.stringify({ ...endpoints, dataDir: undefined }, null, 2), { mode: 0o600 });
  stops.unshift(() => rm(endpointsFile, { force: true }));
  say(screenOf(endpoints, endpointsFile, (performance.now() - began) / 1000));
  await writeFile(join(dataDir, 'stack.json'), JSON.stringify(endpointsOf(stack), null, 2), { mode: 0o600 });
  return broken;
}

let code = 0;
try {
  const reason = await Promise.race([run(), asked]);
  if (reason !== undefined) throw new Error(reason);
  say('Stopping ...');
} catch (error) {
  code = 1;
  process.stderr.write(`${reasonOf(error)}\n`);
}
await stopAll();
process.exit(code);
