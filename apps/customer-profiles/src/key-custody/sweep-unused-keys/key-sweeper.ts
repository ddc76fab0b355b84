import { isPassing } from '@castiron/failures';
import type { Logger } from '@castiron/observability';
import type { DataSource } from 'typeorm';
import { sweepUnusedKeys } from './sweep-unused-keys.use-case.js';

const EVERY_MS = 10 * 60_000;

/** Sweeps unused keys at start and every ten minutes after. */
export class KeySweeper {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly options: {
      keyStore: DataSource;
      database: DataSource;
      logger: Logger;
      onCrash: (error: unknown) => void;
    },
  ) {}

  start(): Promise<void> {
    this.timer = setInterval(() => this.sweep(), EVERY_MS);
    this.sweep();
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
  }

  private sweep(): void {
    const { keyStore, database, logger, onCrash } = this.options;
    this.running = this.running
      .then(() => sweepUnusedKeys(keyStore, database))
      .then((swept) => {
        if (swept > 0) logger.warn({ swept }, 'deleted keys whose customer was never committed');
      })
      .catch((error: unknown) => {
        if (!isPassing(error)) return onCrash(error);
        logger.warn('the sweep of unused keys could not reach a database: it is tried again');
      });
  }
}
