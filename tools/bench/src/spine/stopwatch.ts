/** Of this process: what passed between two moments. */
export interface Lap {
  readonly ms: number;
  /** CPU time of all its threads, in microseconds. */
  readonly cpuUs: number;
}

/** Starts; each call tells what passed since. */
export function stopwatch(): () => Lap {
  const [from, cpu] = [performance.now(), process.cpuUsage()];
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return { ms: performance.now() - from, cpuUs: user + system };
  };
}

/** Milliseconds of a clock that all processes of the machine share and nobody sets. */
export const sharedClock = (): number => Number(process.hrtime.bigint()) / 1e6;

const SAMPLE_MS = 50;

/** Watches the resident memory of this process. @returns ends the watch and gives the peak in MiB */
export function watchOwnMemory(): () => number {
  let peak = 0;
  const look = (): void => {
    peak = Math.max(peak, process.memoryUsage.rss());
  };
  look();
  const timer = setInterval(look, SAMPLE_MS);
  return () => {
    look();
    clearInterval(timer);
    return peak / 2 ** 20;
  };
}

export interface Work extends Lap {
  readonly events: number;
}

/**
 * Counts what gets done, from the first piece on, so that connecting is no part of it: the first piece starts the watch
 * and is not counted.
 */
export class WorkCounter {
  private done = 0;
  private skipped = 0;
  private lap: (() => Lap) | undefined;
  private finish: (work: Work) => void = () => undefined;
  readonly finished: Promise<Work>;

  constructor(private readonly expected: number) {
    this.finished = new Promise((resolve) => (this.finish = resolve));
  }

  add(events: number): void {
    this.done += events;
    if (this.lap === undefined) {
      this.lap = stopwatch();
      this.skipped = events;
    }
    if (this.done >= this.expected) this.finish({ ...this.lap(), events: this.done - this.skipped });
  }
}
