import { feeds, feedTick, SEGMENT_MS } from '@castiron/contracts';
import type { Kafka } from '@castiron/kafka';
import type { DataSource } from 'typeorm';
import { noteAppends, settleTick, takeDueTick } from './feed-tick.table.js';

/**
 * Has the broker forget what was replaced on a feed. It compacts ended segments alone, and ends one only where something is
 * appended: a withdrawal that nothing follows would leave the old value readable for good. So a feed gets ticks after its
 * last record, and after three of them it rests.
 */
export class FeedTicker {
  constructor(
    private readonly dataSource: DataSource,
    private readonly kafka: Kafka,
    /** From one tick of a feed to the next, in ms. Less than the topic's `segment.ms` ends nothing. */
    private readonly everyMs = SEGMENT_MS,
  ) {}

  /**
   * Sends the ticks that are due, of each feed on all its partitions. Several processes share them.
   * @param stopping ends it before the next feed
   * @throws where Kafka or the database fails: what was not sent is due again soon
   */
  async round(stopping?: AbortSignal): Promise<void> {
    const { manager } = this.dataSource;
    await noteAppends(manager, this.everyMs);
    let recipient = await takeDueTick(manager, this.everyMs);
    if (recipient === undefined) return;
    const [admin, producer] = [this.kafka.admin(), this.kafka.producer()];
    try {
      while (recipient !== undefined) {
        const { name } = feeds.of(recipient);
        // The broker's partitions, and not the contract's: who made the topic may have given it others.
        const partitions = await admin.endOffsets(name);
        await producer.send(partitions.map(({ partition }) => feedTick(name, partition)));
        await settleTick(manager, recipient, this.everyMs);
        if (stopping?.aborted) return;
        recipient = await takeDueTick(manager, this.everyMs);
      }
    } finally {
      await Promise.all([admin.close(), producer.close()]);
    }
  }
}
