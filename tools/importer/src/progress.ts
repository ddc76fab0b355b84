import { Presets, SingleBar } from 'cli-progress';
import { Transform } from 'node:stream';

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

export const formatCount = (count: number): string => whole.format(count);

/** Rows per second over the whole run. */
export const rateOf = (rows: number, ms: number): string => `${formatCount(ms === 0 ? 0 : (rows * 1000) / ms)} rows/s`;

/** A bar over the file's bytes, since nobody knows its rows before the end; on stderr, so that stdout is the summary. */
export class Progress {
  readonly #bar: SingleBar;
  readonly #started = Date.now();
  readonly #total: number;
  #bytes = 0;
  #rows = 0;

  constructor(label: string, totalBytes: number) {
    this.#bar = new SingleBar(
      {
        stream: process.stderr,
        format: `${label} {bar} {percentage}% | {rows} rows | {rate}`,
        hideCursor: true,
        // A log file gets a line now and then.
        noTTYOutput: true,
        notTTYSchedule: 5000,
        fps: 5,
      },
      Presets.shades_classic,
    );
    this.#total = Math.max(totalBytes, 1);
  }

  /** Shows it, once it is clear that there is something to do. */
  start(): void {
    this.#bar.start(this.#total, 0, { rows: '0', rate: '' });
  }

  /** Put between the file and the parser, to see how far reading is. */
  counter(): Transform {
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        this.#bytes += chunk.length;
        done(null, chunk);
      },
    });
  }

  answered(rows: number): void {
    this.#rows += rows;
    this.#show();
  }

  stop(): void {
    this.#show();
    this.#bar.stop();
  }

  #show(): void {
    this.#bar.update(this.#bytes, {
      rows: formatCount(this.#rows),
      rate: rateOf(this.#rows, Date.now() - this.#started),
    });
  }
}
