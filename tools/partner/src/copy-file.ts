import { readFile, rename, writeFile } from 'node:fs/promises';
import type { CopyFile } from './partner-copy.js';

/** Reads the file of a former run; undefined where there is none. */
export async function readCopy(path: string, recipient: string): Promise<CopyFile | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
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
    file.subjects === undefined ||
    file.seen === undefined ||
    file.confirmed === undefined
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
