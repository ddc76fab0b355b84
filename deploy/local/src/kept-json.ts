import { readFile, rename, writeFile } from 'node:fs/promises';
import { CannotStart } from './cannot-start.js';

/** What an earlier start wrote down; undefined where there was none. */
export async function readKept<T>(file: string): Promise<T | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new CannotStart(
      `${file} is damaged: put it back from a copy, or give the data up with npm start -- --fresh.`,
    );
  }
}

/** Whole or not at all, since we may be killed at any point; for our own eyes. */
export async function writeWhole(file: string, content: string): Promise<void> {
  await writeFile(`${file}.new`, content, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

export const keep = (file: string, value: unknown): Promise<void> => writeWhole(file, JSON.stringify(value, null, 2));
