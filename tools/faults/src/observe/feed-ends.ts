import { Worker } from 'node:worker_threads';
import type { KafkaSettings } from '@castiron/kafka';

const WITHIN_MS = 2_000;
const FEED_PARTITIONS = [0, 1];

export type Ends = Readonly<Record<number, string>>;

/**
 * Where a feed ends right after an answer, open transactions included: a commit that was decided before is not to be seen
 * before its marker is written, and is none that came later. In a thread of its own, for the client that can ask this ends
 * its thread where a broker goes away in the middle of a handshake.
 */
export class FeedEnds {
  private worker: Worker | undefined;
  private queue: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly settings: KafkaSettings,
    private readonly topic: string,
  ) {}

  /** Undefined where the broker does not say in time. One question at a time. */
  ask(): Promise<Ends | undefined> {
    const asked = this.queue.then(() => this.askNow());
    this.queue = asked;
    return asked;
  }

  async close(): Promise<void> {
    await this.worker?.terminate();
  }

  private askNow(): Promise<Ends | undefined> {
    const worker = (this.worker ??= this.start());
    return new Promise((resolve) => {
      const end = (ends: Ends | undefined): void => {
        clearTimeout(timer);
        worker.off('message', end).off('exit', gone);
        // Without an answer the next one gets a new thread: a late answer to this question must not be its.
        if (ends === undefined) {
          this.worker = undefined;
          void worker.terminate();
        }
        resolve(ends);
      };
      const gone = (): void => end(undefined);
      const timer = setTimeout(gone, WITHIN_MS);
      worker.once('message', end).once('exit', gone);
      worker.postMessage('where?');
    });
  }

  private start(): Worker {
    // The compiled one, whatever runs the rig.
    const worker = new Worker(new URL('../../dist/observe/ends-worker.js', import.meta.url), {
      workerData: { settings: this.settings, topic: this.topic, partitions: FEED_PARTITIONS },
      execArgv: [],
    });
    worker.on('error', () => undefined);
    worker.unref();
    return worker;
  }
}
