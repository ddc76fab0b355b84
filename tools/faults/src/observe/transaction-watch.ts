import { transactionsUnderWay, type KafkaSettings } from '@castiron/kafka';
import type { Look } from '../check/observed.js';
import { pause } from '../pause.js';

const EVERY_MS = 300;

/** Asks the broker again and again which transactions are under way, and so hold records back that stand there already. */
export class TransactionWatch {
  readonly looks: Look[] = [];
  private isEnded = false;
  private readonly running: Promise<void>;

  constructor(private readonly settings: KafkaSettings) {
    this.running = this.watch();
  }

  async end(): Promise<void> {
    this.isEnded = true;
    await this.running;
  }

  private async watch(): Promise<void> {
    while (!this.isEnded) {
      const asked = Date.now();
      // The broker may be away: then there is nothing to see.
      const since = await transactionsUnderWay(this.settings).catch(() => undefined);
      if (since !== undefined) this.looks.push({ asked, since });
      await pause(EVERY_MS);
    }
  }
}
