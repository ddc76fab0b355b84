import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { endpointsOf, ROOT, startCastiron, startStack } from '@castiron/local-stack';
import type { TestProject } from 'vitest/node';
import { serveControl } from './control.js';
import './provided.js';

/** The whole system for the whole run: the stack, the compiled services, and the recipients inside the house. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // What is tested is what is written now; compiling only what changed takes no time.
  await promisify(execFile)(process.execPath, [join(ROOT, 'tools/build.mjs')], { cwd: ROOT });
  const dataDir = join(tmpdir(), `castiron-test-${process.pid}-${Date.now()}`);
  const stack = await startStack({ dataDir, keep: false });
  try {
    const castiron = await startCastiron(stack);
    const control = await serveControl(stack);
    void castiron.broken.then((reason) => process.stderr.write(`${reason}\n`));
    project.provide('stack', endpointsOf(stack));
    project.provide('castiron', castiron.endpoints);
    project.provide('control', control.url);
    return async () => {
      control.stop();
      await castiron.stop();
      await stack.stop();
    };
  } catch (error) {
    await stack.stop();
    throw error;
  }
}
