import type { ICustomPartitioner, RecordMetadata } from 'kafkajs';
import type { Sent } from './types.js';

/**
 * Watches that the offsets a broker returns rise per partition. An idempotent producer whose sequence numbers went wrong
 * is "de-duplicated" by the broker: it gets the offset of an older message back, and the new one is lost. This sees it.
 *
 * And that each partition has an answer: kafkajs 2.2.4 asks each broker once a send. Where a partition's leader moves, in
 * the middle of one, to a broker that has answered already, it asks nobody and says that all is sent.
 */
export class BaseOffsets {
  private readonly last = new Map<string, bigint>();
  /** Made anew for each send: an old table that is emptied is copied in the old heap (ADR 0036). */
  private asked = new Map<string, Set<number>>();

  /** @returns the same, and it is noted which partitions must answer the next time */
  noting(createPartitioner: ICustomPartitioner): ICustomPartitioner {
    return () => {
      const partitioner = createPartitioner();
      return (args) => {
        const partition = partitioner(args);
        let partitions = this.asked.get(args.topic);
        if (partitions === undefined) this.asked.set(args.topic, (partitions = new Set()));
        partitions.add(partition);
        return partition;
      };
    };
  }

  /**
   * @returns where the messages of each partition begin
   * @throws where an answer shows that the messages were taken for older ones, or where one is missing
   */
  check(answers: readonly RecordMetadata[]): readonly Sent[] {
    const answered = new Set(answers.map(({ topicName, partition }) => `${topicName}/${partition}`));
    for (const [topic, partitions] of this.asked) {
      for (const partition of partitions)
        if (!answered.has(`${topic}/${partition}`))
          throw new Error(`nobody answered for ${topic}/${partition}: the messages may be lost`);
    }
    this.asked = new Map();
    const sent: Sent[] = [];
    for (const { topicName, partition, baseOffset } of answers) {
      if (baseOffset === undefined) continue;
      const place = `${topicName}/${partition}`;
      const offset = BigInt(baseOffset);
      if (offset < 0n) throw new Error(`the broker gave no offset on ${place}: the messages may be lost`);
      const before = this.last.get(place);
      if (before !== undefined && offset <= before) {
        throw new Error(`offsets fell on ${place} (${before} to ${offset}): the messages were taken for older ones`);
      }
      this.last.set(place, offset);
      sent.push({ topic: topicName, partition, offset });
    }
    return sent;
  }
}
