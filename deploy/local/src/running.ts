import { readFile, rm, writeFile } from 'node:fs/promises';
import { CannotStart } from './cannot-start.js';

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Says that a data folder is in use by this process; refuses where another still uses it. */
export async function claimFolder(file: string): Promise<() => Promise<void>> {
  const pid = Number(await readFile(file, 'utf8').catch(() => ''));
  if (pid > 0 && pid !== process.pid && isAlive(pid)) {
    throw new CannotStart(`Castiron runs already from this folder, as process ${pid}: stop that one first.`);
  }
  await writeFile(file, String(process.pid));
  return () => rm(file, { force: true });
}
