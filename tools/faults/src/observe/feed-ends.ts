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
  private thread: { readonly worker: Worker; isReady: boolean };
  private queue: Promise<unknown> = Promise.resolve();

  constructor(private readonly settings: KafkaSettings) {
    this.thread = this.start();
  }

  /** Undefined where the broker does not say in time, or the thread is not there yet: later would be too late. One question at a time. */
  ask(feed: string): Promise<Ends | undefined> {
    const asked = this.queue.then(() => (this.thread.isReady ? this.askNow(feed) : undefined));
    this.queue = asked;
    return asked;
  }

  async close(): Promise<void> {
    await this.thread.worker.terminate();
  }

  private askNow(feed: string): Promise<Ends | undefined> {
    const { worker } = this.thread;
    return new Promise((resolve) => {
      const end = (ends: Ends | undefined): void => {
        clearTimeout(timer);
        worker.off('message', end).off('exit', gone);
        resolve(ends);
      };
      const gone = (): void => {
        // The next one gets a new thread: a late answer to this question must not be its.
        void worker.terminate();
        this.thread = this.start();
        end(undefined);
      };
      const timer = setTimeout(gone, WITHIN_MS);
      worker.once('message', end).once('exit', gone);
      worker.postMessage(feed);
    });
  }

  private start(): { worker: Worker; isReady: boolean } {
    // The compiled one, whatever runs the rig.
    const worker = new Worker(new URL('../../dist/observe/ends-worker.js', import.meta.url), {
      workerData: { settings: this.settings, partitions: FEED_PARTITIONS },
      execArgv: [],
    });
    const thread = { worker, isReady: false };
    worker.once('message', () => (thread.isReady = true));
    worker.on('error', () => undefined);
    worker.unref();
    return thread;
  }
}
