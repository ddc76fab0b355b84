import { readFileSync } from 'node:fs';

/** Of the kernel's clock for CPU times (USER_HZ, 100 on every Linux in use). */
export const US_PER_TICK = 10_000;

/** User and system time of a process from its `/proc/PID/stat`, and of its children that have ended. */
export function cpuTicks(stat: string): { own: number; ended: number } {
  // The name of the program stands in brackets and may hold anything; the times are fields 14 to 17.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const of = (first: number) => Number(fields[first - 3]) + Number(fields[first - 2]);
  return { own: of(14), ended: of(16) };
}

/** What a process of another program uses; from Linux's `/proc`. */
export class ProcessUse {
  constructor(private readonly pid: number) {}

  /** CPU time of all its threads so far, in microseconds. */
  cpuUs(): number {
    return cpuTicks(readFileSync(`/proc/${this.pid}/stat`, 'utf8')).own * US_PER_TICK;
  }

  residentMiB(): number {
    return this.status('VmRSS');
  }

  /** The most that was ever resident. */
  peakMiB(): number {
    return this.status('VmHWM');
  }

  private status(field: string): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024;
  }
}
