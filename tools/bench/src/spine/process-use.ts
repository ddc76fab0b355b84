import { readFileSync } from 'node:fs';

/** Of the kernel's clock for CPU times (USER_HZ, 100 on every Linux in use). */
const US_PER_TICK = 10_000;

/** What a process of another program uses; from Linux's `/proc`. */
export class ProcessUse {
  constructor(private readonly pid: number) {}

  /** CPU time of all its threads so far, in microseconds. */
  cpuUs(): number {
    const stat = readFileSync(`/proc/${this.pid}/stat`, 'utf8');
    // The name of the program stands in brackets and may hold anything; user and system time are fields 14 and 15.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * US_PER_TICK;
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
