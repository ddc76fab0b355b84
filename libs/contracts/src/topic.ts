import { MAX_MESSAGE_BYTES } from './sizes.js';

/** Days an events topic keeps its messages. Inbox ids and parked messages outlive this. */
export const RETENTION_DAYS = 30;

const DAY_MS = 86_400_000;

/**
 * `state`: compacted, the last record of a key is the truth and a null value deletes it.
 * `events`: kept {@link RETENTION_DAYS}, every message counts, in order per key.
 */
export type TopicKind = 'state' | 'events';

/** A topic as it is created; `config` holds Kafka topic settings. */
export interface Topic {
  readonly name: string;
  readonly kind: TopicKind;
  readonly partitions: number;
  readonly config: Readonly<Record<string, string>>;
}

/** A topic that exists once per recipient, such as `feeds.<slug>.v1`. */
export interface TopicFamily {
  readonly kind: TopicKind;
  of(slug: string): Topic;
  /** The slug a topic's name carries, or undefined where the name is not of this family. */
  slugOf(topicName: string): string | undefined;
}

const MINUTE_MS = 60_000;

/**
 * How long the broker appends to one segment of a state topic, and at most leaves an ended one uncompacted. It ends a segment
 * at the first append after that: where nothing is appended any more, what was replaced stays readable for good.
 */
export const SEGMENT_MS = 10 * MINUTE_MS;

const CONFIG_OF: Record<TopicKind, Record<string, string>> = {
  state: {
    'cleanup.policy': 'compact',
    // An old value must be gone soon after its successor came, so segments are short.
    'segment.ms': String(SEGMENT_MS),
    'max.compaction.lag.ms': String(SEGMENT_MS),
    // Whatever the broker's own default is.
    'min.compaction.lag.ms': '0',
    'delete.retention.ms': String(DAY_MS),
  },
  events: {
    'cleanup.policy': 'delete',
    'retention.ms': String(RETENTION_DAYS * DAY_MS),
  },
};

/** What a topic is declared by. */
interface TopicOptions {
  readonly kind: TopicKind;
  readonly partitions?: number;
  /**
   * Written by others. The broker unpacks what they send, and refuses what is larger then than a message may be: a few
   * kilobytes can unpack to gigabytes, which would be the reader's to hold.
   */
  readonly untrusted?: boolean;
}

/** Declares a topic. Partition counts are never raised in place: order per key would break. */
export function defineTopic(options: TopicOptions & { readonly name: string }): Topic {
  return Object.freeze({
    name: options.name,
    kind: options.kind,
    partitions: options.partitions ?? 3,
    config: Object.freeze({
      ...CONFIG_OF[options.kind],
      // The broker's clock, by which it keeps and deletes: by a producer's that is behind it would delete what has just come.
      'message.timestamp.type': 'LogAppendTime',
      'max.message.bytes': String(MAX_MESSAGE_BYTES),
      // The broker recompresses, so no producer can hand a reader a codec it cannot open.
      'compression.type': options.untrusted === true ? 'uncompressed' : 'gzip',
    }),
  });
}

/** A slug names a recipient. No dot: a group prefix `p1.` would otherwise cover `p1.eu`. */
const SLUG = '[a-z][a-z0-9-]{1,38}';
export const SLUG_PATTERN = `^${SLUG}$`;

/** Declares a family of topics `<prefix>.<slug>.v1`. */
export function defineTopicFamily(options: TopicOptions & { readonly prefix: string }): TopicFamily {
  const name = new RegExp(`^${options.prefix}\\.(${SLUG})\\.v1$`);
  const slug = new RegExp(SLUG_PATTERN);
  return Object.freeze({
    kind: options.kind,
    of(slugOfRecipient: string): Topic {
      if (!slug.test(slugOfRecipient)) throw new TypeError(`"${slugOfRecipient}" is not a slug (${SLUG_PATTERN})`);
      return defineTopic({ ...options, name: `${options.prefix}.${slugOfRecipient}.v1` });
    },
    slugOf: (topicName: string) => name.exec(topicName)?.[1],
  });
}
