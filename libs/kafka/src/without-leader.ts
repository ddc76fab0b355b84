import { createRequire } from 'node:module';
import { mend } from './mend.js';

/** As much of kafkajs's as is used here. */
interface Partition {
  readonly partitionErrorCode: number;
  readonly partitionId: number;
  readonly leader: number;
}
interface Metadata {
  readonly topicMetadata: readonly {
    readonly topicErrorCode: number;
    readonly topic: string;
    readonly partitionMetadata: readonly Partition[];
  }[];
}
interface BrokerPool {
  readonly metadata: Metadata;
  metadataExpireAt: number;
}
interface Offsets {
  readonly cluster: { findTopicPartitionMetadata(topic: string): readonly Partition[] };
  memberAssignment: Readonly<Record<string, readonly number[]>>;
}

const require = createRequire(import.meta.url);
const { createErrorFromCode } = require('kafkajs/src/protocol/error.js') as {
  createErrorFromCode: (code: number) => Error;
};

/** As brokers say it. */
const NO_LEADER = -1;
/** With this one there is a leader. */
const REPLICA_NOT_AVAILABLE = 9;
/** Of this kafkajs asks as it does. */
const UNKNOWN = { leader: 0 };
/** How soon it is asked again for a leader. kafkajs asks after five minutes. */
const ASKED_AGAIN_MS = 1_000;

const isOk = (code: number): boolean => code === 0 || code === REPLICA_NOT_AVAILABLE;

export const hasLeader = ({ leader }: { readonly leader: number }): boolean => leader !== NO_LEADER;

/** What a broker says of topics. What is wrong with a partition is that one's: nobody leads it. */
export function topicsWithLeaders<Of extends Metadata>(metadata: Of): Promise<Of> {
  const broken = metadata.topicMetadata.find(({ topicErrorCode }) => topicErrorCode !== 0);
  if (broken !== undefined) return Promise.reject(createErrorFromCode(broken.topicErrorCode));
  const topicMetadata = metadata.topicMetadata.map((topic) => ({
    ...topic,
    partitionMetadata: topic.partitionMetadata.map((partition) =>
      isOk(partition.partitionErrorCode) ? partition : { ...partition, leader: NO_LEADER },
    ),
  }));
  return Promise.resolve({ ...metadata, topicMetadata });
}

/**
 * kafkajs 2.2.4 fails where one partition of all that it asks for has no leader, and before it knows its topics it asks for those of
 * the whole cluster: nothing is read any more, and no producer opens. Whoever needs that partition fails by itself: there is
 * no such broker.
 */
mend(
  topicsWithLeaders,
  'protocol/requests/metadata/v0/response.js',
  'protocol/requests/metadata/v5/response.js',
  'parse',
);

const BrokerPoolClass = require('kafkajs/src/cluster/brokerPool.js') as {
  prototype: { refreshMetadata: (this: BrokerPool, topics: readonly string[]) => Promise<void> };
};
const { refreshMetadata } = BrokerPoolClass.prototype;
BrokerPoolClass.prototype.refreshMetadata = async function (topics) {
  await refreshMetadata.call(this, topics);
  if (!this.metadata.topicMetadata.every(({ partitionMetadata }) => partitionMetadata.every(hasLeader)))
    this.metadataExpireAt = Date.now() + ASKED_AGAIN_MS;
};

const OffsetManager = require('kafkajs/src/consumer/offsetManager/index.js') as {
  prototype: { resolveOffsets: (this: Offsets) => Promise<void> };
};
const { resolveOffsets } = OffsetManager.prototype;
/** Where it never was, a group begins at what a partition's leader says; kafkajs asks for that of all before it fetches anything. */
OffsetManager.prototype.resolveOffsets = function () {
  const { cluster, memberAssignment } = this;
  // Asked for before each fetch, and nearly always so.
  if (Object.keys(memberAssignment).every((topic) => cluster.findTopicPartitionMetadata(topic).every(hasLeader)))
    return resolveOffsets.call(this);
  const askedOf = ([topic, partitions]: readonly [string, readonly number[]]) => {
    const known = new Map(cluster.findTopicPartitionMetadata(topic).map((one) => [one.partitionId, one]));
    return [topic, partitions.filter((id) => hasLeader(known.get(id) ?? UNKNOWN))] as const;
  };
  this.memberAssignment = Object.fromEntries(Object.entries(memberAssignment).map(askedOf));
  try {
    // What it asks for it gathers at once.
    return resolveOffsets.call(this);
  } finally {
    this.memberAssignment = memberAssignment;
  }
};
