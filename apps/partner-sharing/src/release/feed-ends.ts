import { feeds } from '@castiron/contracts';
import type { Admin, Kafka, Sent } from '@castiron/kafka';

/** What others send is noted by nobody here. The older an end is, the more a successor has to read. */
const ASKED_AGAIN_MS = 60_000;

/** By partition. */
type Ends = readonly bigint[];

/**
 * Where feeds ended at some time: what is released after it stands behind. Kept beside what is sent, so that whoever has to find out
 * what became of it knows where to begin to read.
 */
export class FeedEnds {
  private readonly admin: Admin;
  private readonly known = new Map<string, Ends>();
  private readonly askedAt = new Map<string, number>();

  constructor(kafka: Pick<Kafka, 'admin'>) {
    this.admin = kafka.admin();
  }

  /** Those of these recipients' feeds; of one whose end cannot be told there are none. */
  async of(recipients: Iterable<string>): Promise<ReadonlyMap<string, Ends>> {
    const slugs = [...new Set(recipients)];
    await Promise.all(slugs.map((slug) => this.renew(slug)));
    return new Map(
      slugs.flatMap((slug) => {
        const ends = this.known.get(feeds.of(slug).name);
        return ends === undefined ? [] : [[slug, ends] as const];
      }),
    );
  }

  /** What was sent stands where its feed ended, or later. */
  note(sent: readonly Sent[]): void {
    for (const { topic, partition, offset } of sent) {
      const ends = this.known.get(topic);
      if (ends !== undefined) this.known.set(topic, ends.with(partition, offset));
    }
  }

  close(): Promise<void> {
    return this.admin.close();
  }

  /** Waited for only where nothing is known: an old end does as well. */
  private async renew(slug: string): Promise<void> {
    const topic = feeds.of(slug).name;
    if (performance.now() - (this.askedAt.get(topic) ?? -Infinity) < ASKED_AGAIN_MS) return;
    this.askedAt.set(topic, performance.now());
    const asking = this.admin.endOffsets(topic).then(
      (ends) => void this.known.set(topic, endsOf(ends)),
      () => void this.askedAt.delete(topic),
    );
    if (!this.known.has(topic)) await asking;
  }
}

function endsOf(offsets: readonly { readonly partition: number; readonly offset: string }[]): Ends {
  const ends: bigint[] = [];
  for (const { partition, offset } of offsets) ends[partition] = BigInt(offset);
  return ends;
}
