import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Mistake } from './config.js';

/** Whether another process has this id. Our own would be left from a former life, as in a container that started again. */
function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Keeps a copy for this process alone: two tails would write it over each other, and one of them what the other deleted.
 * @returns gives it back; a killed process need not, for the next one sees that it is gone
 * @throws Mistake where another process keeps it
 */
export function holdCopy(path: string): () => void {
  const lock = `${path}.lock`;
  const take = (): void => writeFileSync(lock, `${process.pid}\n`, { flag: 'wx', mode: 0o600 });
  try {
    take();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST') throw new Mistake(`${path} cannot be kept: ${code ?? 'unknown'}`);
    const holder = Number(readFileSync(lock, 'utf8'));
    if (isAlive(holder)) {
      throw new Mistake(`${path} is kept by another tail (process ${holder}): stop that one, or give --file.`);
    }
    rmSync(lock, { force: true });
    take();
  }
  return () => rmSync(lock, { force: true });
}
