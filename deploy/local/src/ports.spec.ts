import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { choosePorts } from './ports.js';

describe('free ports', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'castiron-ports-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('are all different, and the same the next time', async () => {
    const first = await choosePorts(['a', 'b', 'c'], join(folder, 'ports.json'));
    expect(new Set(Object.values(first)).size).toBe(3);
    expect(await choosePorts(['a', 'b', 'c'], join(folder, 'ports.json'))).toEqual(first);
  });

  it('are others where one is taken meanwhile', async () => {
    const { a } = await choosePorts(['a'], join(folder, 'ports.json'));
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(a, '127.0.0.1', () => resolve()));
    expect(await choosePorts(['a'], join(folder, 'ports.json'))).not.toEqual({ a });
    await new Promise((resolve) => squatter.close(resolve));
  });
});
