import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endpointsOf, startStack, type StackEndpoints } from '@castiron/local-stack';
import type { TestProject } from 'vitest/node';
import './provided.js';

/**
 * One stack for the whole run, in a folder that goes away with it. CASTIRON_TEST_STACK names a JSON file of one
 * that runs already (see `node tools/castiron.mjs stack`), to save its start when writing tests.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const running = process.env['CASTIRON_TEST_STACK'];
  if (running !== undefined) {
    project.provide('stack', JSON.parse(await readFile(running, 'utf8')) as StackEndpoints);
    return async () => undefined;
  }
  const stack = await startStack({
    dataDir: join(tmpdir(), `castiron-test-${process.pid}-${Date.now()}`),
    keep: false,
  });
  project.provide('stack', endpointsOf(stack));
  return () => stack.stop();
}
