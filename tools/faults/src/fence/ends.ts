import type { Admin } from '@castiron/kafka';

/** Where the partitions of a feed end: what is appended later has at least this offset. */
export type Ends = ReadonlyMap<number, number>;

/**
 * Asks the broker for the ends of a feed, once for all that want to know in the same moment. Nobody writes to feeds in
 * transactions, so the last stable offsets are the high watermarks.
 */
export class FeedEndsNow {
  private next: Promise<Ends> | undefined;
  private asking: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly admin: Pick<Admin, 'endOffsets'>,
    private readonly topic: string,
  ) {}

  /** Asked after the call, never before. */
  ask(): Promise<Ends> {
    this.next ??= this.after(this.asking);
    return this.next;
  }

  private async after(former: Promise<unknown>): Promise<Ends> {
    await former;
    this.next = undefined;
    const asked = this.admin.endOffsets(this.topic);
    this.asking = asked.catch(() => undefined);
    return new Map((await asked).map(({ partition, offset }) => [partition, Number(offset)]));
  }
}
