import { numberOf } from '../events.js';
import { sharedClock } from '../stopwatch.js';

/** What a receiver waits for: when each of so many events came first. */
class Listening {
  private readonly at: Float64Array;
  private missing: number;
  private complete = (): void => undefined;
  private readonly completed = new Promise<void>((resolve) => (this.complete = resolve));

  constructor(count: number) {
    this.at = new Float64Array(count).fill(Number.NaN);
    this.missing = count;
  }

  /** @param now in ms of {@link sharedClock} */
  note(value: Buffer | null, now = sharedClock()): void {
    const n = numberOf(value);
    if (!(n >= 0 && n < this.at.length) || !Number.isNaN(this.at[n])) return;
    this.at[n] = now;
    this.missing -= 1;
    if (this.missing === 0) this.complete();
  }

  /** Waits for all of them. @returns when each was there, in ms */
  async all(within: number): Promise<Float64Array> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${this.missing} events never came`)), within);
    });
    await Promise.race([this.completed, late]).finally(() => clearTimeout(timer));
    return this.at;
  }
}

let current: { readonly to: Listening; readonly end: () => Promise<unknown> } | undefined;

/** @param end of the one who reads, once all is there */
export function listening(count: number, end: () => Promise<unknown>): Listening {
  const to = new Listening(count);
  current = { to, end };
  return to;
}

/** Waits for all events and stops. @returns when each was there, in ms */
export async function received({ within }: { within: number }): Promise<Float64Array> {
  if (current === undefined) throw new Error('nobody listens');
  const { to, end } = current;
  try {
    return await to.all(within);
  } finally {
    current = undefined;
    await end();
  }
}
