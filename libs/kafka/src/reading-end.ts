import type { PartitionEnd } from './partition-ends.js';

/** Answers of a partition's leader that brought nothing, after which it is asked whether anything can come before the end. */
const IDLE_ANSWERS = 4;

type Ends = ReadonlyMap<number, PartitionEnd>;

/** Knows whether a reading has come to the end that its partitions had when it began. */
export class ReadingEnd {
  private readonly positions = new Map<number, bigint>();
  private readonly idleAnswers = new Map<string, number>();
  private nothingOpen = false;

  /** @param ask how far the partitions go by now */
  constructor(
    private ends: Ends,
    private readonly ask: () => Promise<Ends>,
  ) {}

  cameTo(partition: number, next: bigint): void {
    this.positions.set(partition, next);
    this.idleAnswers.clear();
    this.nothingOpen = false;
  }

  /** A fetch was answered by this broker; {@link cameTo} follows where it brought something. */
  answered(broker: string): void {
    this.idleAnswers.set(broker, (this.idleAnswers.get(broker) ?? 0) + 1);
  }

  /** Behind an open transaction, that takes until it ends. */
  async isReached(): Promise<boolean> {
    const short = [...this.ends].filter(([partition, { end }]) => (this.positions.get(partition) ?? 0n) < end);
    const isIdle = short.every(([, { leader }]) => (this.idleAnswers.get(leader) ?? 0) >= IDLE_ANSWERS);
    if (short.length === 0 || (isIdle && this.nothingOpen)) return true;
    if (!isIdle) return false;
    // Compaction may have taken the last offsets away, or retention all of them. With nothing open before them, what is there
    // is given out: where the leaders go on to answer with nothing, nothing can come.
    const now = await this.ask();
    this.nothingOpen = short.every(([partition, { end }]) => (now.get(partition)?.stable ?? 0n) >= end);
    this.idleAnswers.clear();
    // Another broker may lead by now.
    this.ends = new Map(
      [...this.ends].map(([partition, it]) => [partition, { ...it, leader: now.get(partition)?.leader ?? '' }]),
    );
    return false;
  }
}
