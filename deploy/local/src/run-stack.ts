import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { reasonOf } from './cannot-start.js';
import { DOT_CASTIRON } from './places.js';
import { endpointsOf, startStack } from './stack.js';

// A stack without services that stays up, for writing tests: CASTIRON_TEST_STACK=.castiron/test-stack.json vitest ...

const file = join(DOT_CASTIRON, 'test-stack.json');
const asked = new Promise<undefined>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve(undefined));
  process.on('disconnect', () => resolve(undefined));
});

try {
  const stack = await startStack({ dataDir: join(DOT_CASTIRON, 'test-stack'), fresh: true, keep: false });
  await writeFile(file, JSON.stringify(endpointsOf(stack), null, 2), { mode: 0o600 });
  process.stdout.write(`A stack for tests runs; use it with CASTIRON_TEST_STACK=${file}. Ctrl-C stops it.\n`);
  const reason = await Promise.race([stack.broken, asked]);
  if (reason !== undefined) process.stderr.write(`${reason}\n`);
  await stack.stop();
  await rm(file, { force: true });
  process.exit(reason === undefined ? 0 : 1);
} catch (error) {
  process.stderr.write(`${reasonOf(error)}\n`);
  process.exit(1);
}
