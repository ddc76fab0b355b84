import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStack, type Stack, type StackOptions } from '@castiron/local-stack';

/**
 * Works on a stack of its own, which is thrown away at the end. It keeps its data while it lives, as in a house: a commit
 * waits for the disk.
 */
export async function onStack<T>(
  work: (stack: Stack) => Promise<T>,
  settings: StackOptions['postgresSettings'] = {},
): Promise<T> {
  const folder = join(tmpdir(), `castiron-bench-${process.pid}-${Date.now()}`);
  const stack = await startStack({ dataDir: folder, postgresSettings: settings });
  try {
    return await Promise.race([work(stack), stack.broken.then((reason) => Promise.reject(new Error(reason)))]);
  } finally {
    await stack.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
