import type { TopicPartitionOffset } from 'kafkajs';

/** A commit of its own for each batch costs the broker as much as the batch; what is not committed comes again after a crash. */
const EVERY_MS = 100;

/** Commits what was handled, the first at once and what follows together. */
export class Commits {
  private readonly handled = new Map<string, TopicPartitionOffset>();
  private timer: NodeJS.Timeout | undefined;
  private committedAt = -Infinity;
  private committing: Promise<void> = Promise.resolve();

  /** @param commit one that fails is left to whoever compares the group's place with the member's */
  constructor(private readonly commit: (offsets: TopicPartitionOffset[]) => Promise<void>) {}

  /**
   * @param next the offset to go on from
   * @param sign read by whoever asks where the group stands
   */
  note(topic: string, partition: number, next: bigint, sign?: string): void {
    const metadata = sign === undefined ? {} : { metadata: sign };
    this.handled.set(`${topic}/${partition}`, { topic, partition, offset: String(next), ...metadata });
    const due = this.committedAt + EVERY_MS - performance.now();
    this.timer ??= setTimeout(() => void this.flush(), Math.max(0, due));
  }

  /** One after the other: a commit that is tried again would set the group back behind a later one. */
  flush(): Promise<void> {
    return (this.committing = this.committing.then(() => this.commitAll()));
  }

  private async commitAll(): Promise<void> {
    const offsets = [...this.handled.values()];
    this.forget();
    if (offsets.length === 0) return;
    this.committedAt = performance.now();
    await this.commit(offsets).catch(() => undefined);
  }

  /** Partitions may belong to another member now, which has its own word on them. */
  forget(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.handled.clear();
  }
}
