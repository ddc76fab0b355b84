/** A partition of a feed. */
export interface FeedPartition {
  readonly topic: string;
  readonly partition: number;
}

/** Where a message stands. */
export interface Place extends FeedPartition {
  readonly offset: bigint;
}

export const isSamePlace = (one: Place, other: Place): boolean =>
  one.topic === other.topic && one.partition === other.partition && one.offset === other.offset;

/** The cause of an incident: no personal data. */
export const causeAt = ({ topic, partition, offset }: Place, problem: string): string =>
  `${topic}, partition ${partition}, offset ${offset}: ${problem}`;
