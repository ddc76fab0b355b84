import type { Topic } from '@castiron/contracts';
import type { AclEntry, Admin as KafkaJsAdmin, SeekEntry } from 'kafkajs';
import { createClient, type Client } from './client.js';
import { within } from './deadline.js';
import kafkajs from './kafkajs.js';
import { partitionEnds } from './partition-ends.js';
import { deleteScramUser, putScramUser } from './scram.js';
import type { AclOperation, AclResource, AclRule, Admin, KafkaSettings } from './types.js';
import { hasLeader } from './without-leader.js';

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

/** How kafkajs 2.2.4 fails where a topic was created and the broker asked for its leaders does not know it yet. */
const JUST_MADE = 'UNKNOWN_TOPIC_OR_PARTITION';
const NOT_YET_LEADER = 'NOT_LEADER_FOR_PARTITION';
const HEARD_OF_WITHIN_MS = 10_000;
const LED_WITHIN_MS = 15_000;
const ASKED_AGAIN_MS = 50;

const RESOURCES: Record<AclResource, AclEntry['resourceType']> = {
  topic: AclResourceTypes.TOPIC,
  group: AclResourceTypes.GROUP,
  cluster: AclResourceTypes.CLUSTER,
  'transactional-id': AclResourceTypes.TRANSACTIONAL_ID,
};

const OPERATIONS: Record<AclOperation, AclEntry['operation']> = {
  all: AclOperationTypes.ALL,
  read: AclOperationTypes.READ,
  write: AclOperationTypes.WRITE,
  create: AclOperationTypes.CREATE,
  delete: AclOperationTypes.DELETE,
  alter: AclOperationTypes.ALTER,
  describe: AclOperationTypes.DESCRIBE,
  'describe-configs': AclOperationTypes.DESCRIBE_CONFIGS,
  'alter-configs': AclOperationTypes.ALTER_CONFIGS,
  'idempotent-write': AclOperationTypes.IDEMPOTENT_WRITE,
};

/** Asks until it is so, or the time is over, and once in any case. */
async function comesTrue(ask: () => Promise<boolean>, withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    if (await ask()) return true;
    if (Date.now() >= deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, ASKED_AGAIN_MS));
  }
}

function entryOf(rule: AclRule): AclEntry {
  if (rule.pattern === 'prefixed' && !/[.-]$/.test(rule.name)) {
    throw new TypeError(`the prefix "${rule.name}" would cover other names too: end it in a dot`);
  }
  return {
    principal: rule.principal,
    host: '*',
    resourceType: RESOURCES[rule.resource],
    resourceName: rule.name,
    resourcePatternType: rule.pattern === 'prefixed' ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
    operation: OPERATIONS[rule.operation],
    permissionType: AclPermissionTypes.ALLOW,
  };
}

/** Connects when it is first asked, and stays connected until it is closed. */
export class ConnectedAdmin implements Admin {
  private readonly client: Client;
  private connecting: Promise<KafkaJsAdmin> | undefined;

  constructor(private readonly settings: KafkaSettings) {
    this.client = createClient(settings, { initialRetryTime: 50, maxRetryTime: 1_000, retries: 6 });
  }

  async createTopics(topics: readonly Topic[], options: { replicationFactor?: number } = {}): Promise<void> {
    // Asked of no topic, kafkajs tells of all.
    if (topics.length === 0) return;
    const admin = await this.connected();
    const existing = new Set(await admin.listTopics());
    const missing = topics.filter((topic) => !existing.has(topic.name));
    if (missing.length > 0) await this.make(missing, options.replicationFactor);
    // Of those too that somebody else has just made.
    await this.untilLed(topics.map(({ name }) => name));
  }

  private async make(missing: readonly Topic[], replicationFactor = -1): Promise<void> {
    const admin = await this.connected();
    try {
      await admin.createTopics({
        timeout: LED_WITHIN_MS,
        topics: missing.map((topic) => ({
          topic: topic.name,
          numPartitions: topic.partitions,
          replicationFactor,
          configEntries: Object.entries(topic.config).map(([name, value]) => ({ name, value })),
        })),
      });
    } catch (error) {
      // Somebody else may have made some of them meanwhile, and principals may create what they cannot describe.
      if (!(await this.areListed(missing, (error as { type?: unknown }).type === JUST_MADE))) throw error;
    }
  }

  /** @param soon the controller has them: the broker that was asked hears of it a moment later */
  private async areListed(topics: readonly Topic[], soon: boolean): Promise<boolean> {
    const admin = await this.connected();
    const ask = async (): Promise<boolean> => {
      const listed = new Set(await admin.listTopics());
      return topics.every((topic) => listed.has(topic.name));
    };
    return comesTrue(ask, soon ? HEARD_OF_WITHIN_MS : 0);
  }

  /** kafkajs waits for topics, and not for their leaders: see without-leader.ts. */
  private async untilLed(names: string[]): Promise<void> {
    const admin = await this.connected();
    let cause: unknown;
    const areLed = async (): Promise<boolean> => {
      try {
        cause = undefined;
        const { topics } = await admin.fetchTopicMetadata({ topics: names });
        return topics.every(({ partitions }) => partitions.every(hasLeader));
      } catch (error) {
        // The broker that is asked may not know of them yet.
        cause = error;
        return false;
      }
    };
    if (!(await comesTrue(areLed, LED_WITHIN_MS)))
      throw new Error(`not all partitions of ${names.join(', ')} are known to have a leader`, { cause });
  }

  async topicNames(): Promise<string[]> {
    return (await this.connected()).listTopics();
  }

  async endOffsets(topic: string): Promise<{ partition: number; offset: string }[]> {
    const offsets = await this.topicOffsets(topic);
    return offsets.map(({ partition, offset }) => ({ partition, offset })).sort((a, b) => a.partition - b.partition);
  }

  async trueEndOffsets(topic: string): Promise<{ partition: number; offset: string }[]> {
    const ends = await partitionEnds(this.settings, topic);
    return [...ends].map(([partition, { end }]) => ({ partition, offset: end.toString() }));
  }

  /** Of a topic that was just made the broker may know whose it is a moment before it knows that it is its own. */
  private async topicOffsets(topic: string): Promise<SeekEntry[]> {
    const admin = await this.connected();
    const deadline = Date.now() + HEARD_OF_WITHIN_MS;
    for (;;) {
      try {
        return await admin.fetchTopicOffsets(topic);
      } catch (error) {
        if ((error as { type?: unknown }).type !== NOT_YET_LEADER || Date.now() >= deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, ASKED_AGAIN_MS));
      }
    }
  }

  putUser(username: string, password: string): Promise<void> {
    return putScramUser(this.settings, username, password);
  }

  deleteUser(username: string): Promise<void> {
    return deleteScramUser(this.settings, username);
  }

  async allow(rules: readonly AclRule[]): Promise<void> {
    if (rules.length === 0) return;
    await (await this.connected()).createAcls({ acl: rules.map(entryOf) });
  }

  /** Takes back what was allowed: exactly these rules. */
  async forbid(rules: readonly AclRule[]): Promise<void> {
    if (rules.length === 0) return;
    await (await this.connected()).deleteAcls({ filters: rules.map(entryOf) });
  }

  async close(): Promise<void> {
    const connecting = this.connecting;
    this.connecting = undefined;
    if (connecting !== undefined) {
      const closed = connecting.then((admin) => admin.disconnect());
      await within(2_000, 'disconnecting', closed).catch(() => undefined);
    }
    this.client.destroySockets();
  }

  private connected(): Promise<KafkaJsAdmin> {
    this.connecting ??= this.connect();
    return this.connecting;
  }

  private async connect(): Promise<KafkaJsAdmin> {
    const admin = this.client.kafka.admin();
    try {
      await admin.connect();
      return admin;
    } catch (error) {
      this.connecting = undefined;
      throw error;
    }
  }
}
