import { availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os';

export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  readonly at: string;
  /** The load average of a minute before and after: a busy machine widens every spread. */
  readonly load: { readonly before: number; readonly after: number };
}

export const load = (): number => Math.round((loadavg()[0] ?? Number.NaN) * 10) / 10;

export const machine = (before: number): Machine => ({
  cores: availableParallelism(),
  cpu: cpus()[0]?.model ?? 'unknown',
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  system: `${platform()} ${release()}`,
  node: process.version,
  at: new Date().toISOString(),
  load: { before, after: load() },
});
