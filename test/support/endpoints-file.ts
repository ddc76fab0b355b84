import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Castiron } from './castiron.js';

/** Works with a file that says where a system is, as an operator has one. */
export async function withEndpointsFile<T>({ endpoints }: Castiron, work: (file: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'castiron-endpoints-'));
  try {
    const file = join(folder, 'endpoints.json');
    await writeFile(file, JSON.stringify(endpoints), { mode: 0o600 });
    return await work(file);
  } finally {
    await rm(folder, { recursive: true });
  }
}
