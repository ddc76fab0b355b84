import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os';

export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  readonly at: string;
  /** Of the tree that was measured; null where it is no clone, or was changed since. */
  readonly commit: string | null;
  /** The load average of a minute before and after: a busy machine widens every spread. */
  readonly load: { readonly before: number; readonly after: number };
}

export const load = (): number => Math.round((loadavg()[0] ?? Number.NaN) * 10) / 10;

function commit(): string | null {
  try {
    const git = (...args: string[]) => execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
    return git('status', '--porcelain', '--untracked-files=no') === '' ? git('rev-parse', 'HEAD') : null;
  } catch {
    return null;
  }
}

export const machine = (before: number): Machine => ({
  cores: availableParallelism(),
  cpu: cpus()[0]?.model ?? 'unknown',
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  system: `${platform()} ${release()}`,
  node: process.version,
  at: new Date().toISOString(),
  commit: commit(),
  load: { before, after: load() },
});
