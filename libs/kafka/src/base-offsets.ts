import type { RecordMetadata } from 'kafkajs';

/**
 * Watches that the offsets a broker returns rise per partition. An idempotent producer whose sequence numbers went wrong
 * is "de-duplicated" by the broker: it gets the offset of an older message back, and the new one is lost. This sees it.
 */
export class BaseOffsets {
  private readonly last = new Map<string, bigint>();

  /** @throws where an answer shows that the messages were taken for older ones */
  check(answers: readonly RecordMetadata[]): void {
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
    }
  }
}
