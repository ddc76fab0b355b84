import { readFile, rename, writeFile } from 'node:fs/promises';
import type { CopyFile } from './partner-copy.js';

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Reads the file of a former run; undefined where there is none. */
export async function readCopy(path: string, recipient: string): Promise<CopyFile | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new Error(`${path} cannot be read: ${error.code ?? 'unknown'}`);
  });
  if (text === undefined) return undefined;
  let file: Partial<CopyFile> | null;
  try {
    file = JSON.parse(text) as Partial<CopyFile> | null;
  } catch {
    throw new Error(`${path} is not JSON; move it away to begin anew`);
  }
  if (
    file?.recipient !== recipient ||
    !isRecord(file.seen) ||
    !isRecord(file.confirmed) ||
    !isRecord(file.subjects) ||
    !Object.values<unknown>(file.subjects).every((copy) => isRecord(copy) && isRecord(copy['attributes']))
  ) {
    throw new Error(`${path} is not a copy of ${recipient}'s; move it away to begin anew`);
  }
  return file as CopyFile;
}

/** Replaces the file as a whole: a kill leaves the old one or the new one. Customers' data, so for its owner's eyes. */
export async function writeCopy(path: string, file: CopyFile): Promise<void> {
  await writeFile(`${path}.new`, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}
