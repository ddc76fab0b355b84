import type { Topic } from '@castiron/contracts';
import {
  AclOperations,
  AclPermissionTypes,
  Admin as Client,
  FetchIsolationLevels,
  ListOffsetTimestamps,
  ResourcePatternTypes,
  ResourceTypes,
  type Acl,
} from '@platformatic/kafka';
import { deleteScramUser, putScramUser } from '../../scram.js';
import type { AclOperation, AclResource, AclRule, Admin, KafkaSettings } from '../../types.js';
import { discard, optionsOf } from './client.js';

const RETRIES = 5;

const RESOURCES: Record<AclResource, Acl['resourceType']> = {
  topic: ResourceTypes.TOPIC,
  group: ResourceTypes.GROUP,
  cluster: ResourceTypes.CLUSTER,
  'transactional-id': ResourceTypes.TRANSACTIONAL_ID,
};
const OPERATIONS: Record<AclOperation, Acl['operation']> = {
  all: AclOperations.ALL,
  read: AclOperations.READ,
  write: AclOperations.WRITE,
  create: AclOperations.CREATE,
  delete: AclOperations.DELETE,
  alter: AclOperations.ALTER,
  describe: AclOperations.DESCRIBE,
  'describe-configs': AclOperations.DESCRIBE_CONFIGS,
  'alter-configs': AclOperations.ALTER_CONFIGS,
  'idempotent-write': AclOperations.IDEMPOTENT_WRITE,
};

function entryOf(rule: AclRule): Acl {
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

export class PlatformaticAdmin implements Admin {
  private readonly client: Client;

  constructor(private readonly settings: KafkaSettings) {
    this.client = new Client({ ...optionsOf(settings), retries: RETRIES });
  }

  async createTopics(topics: readonly Topic[], options: { replicationFactor?: number } = {}): Promise<void> {
    const existing = new Set(await this.topicNames());
    for (const topic of topics.filter(({ name }) => !existing.has(name))) {
      const configs = Object.entries(topic.config).map(([name, value]) => ({ name, value }));
      const made = {
        topics: [topic.name],
        partitions: topic.partitions,
        replicas: options.replicationFactor ?? -1,
        configs,
      };
      try {
        await this.client.createTopics(made);
      } catch (error) {
        // Somebody else may have made it meanwhile.
        if (!(await this.topicNames()).includes(topic.name)) throw error;
      }
    }
    // Until the broker that was asked has heard of them and of their leaders.
    for (const { name } of topics) await this.patiently(() => this.endOffsets(name));
  }

  topicNames(): Promise<string[]> {
    return this.client.listTopics();
  }

  endOffsets(topic: string): Promise<{ partition: number; offset: string }[]> {
    return this.endsOf(topic, FetchIsolationLevels.READ_COMMITTED);
  }

  trueEndOffsets(topic: string): Promise<{ partition: number; offset: string }[]> {
    return this.endsOf(topic, FetchIsolationLevels.READ_UNCOMMITTED);
  }

  private async endsOf(
    topic: string,
    isolationLevel: (typeof FetchIsolationLevels)[keyof typeof FetchIsolationLevels],
  ): Promise<{ partition: number; offset: string }[]> {
    const metadata = await this.client.metadata({ topics: [topic], forceUpdate: true });
    const count = metadata.topics.get(topic)?.partitionsCount ?? 0;
    const partitions = Array.from({ length: count }, (_, partitionIndex) => ({
      partitionIndex,
      timestamp: ListOffsetTimestamps.LATEST,
    }));
    const [ends] = await this.client.listOffsets({ topics: [{ name: topic, partitions }], isolationLevel });
    return (ends?.partitions ?? [])
      .map(({ partitionIndex, offset }) => ({ partition: partitionIndex, offset: String(offset) }))
      .sort((a, b) => a.partition - b.partition);
  }

  putUser(username: string, password: string): Promise<void> {
    return putScramUser(this.settings, username, password);
  }

  deleteUser(username: string): Promise<void> {
    return deleteScramUser(this.settings, username);
  }

  async allow(rules: readonly AclRule[]): Promise<void> {
    if (rules.length > 0) await this.client.createAcls({ creations: rules.map(entryOf) });
  }

  async forbid(rules: readonly AclRule[]): Promise<void> {
    if (rules.length > 0) await this.client.deleteAcls({ filters: rules.map(entryOf) });
  }

  async close(): Promise<void> {
    discard(this.client);
  }

  private async patiently<T>(work: () => Promise<T>): Promise<T> {
    const deadline = Date.now() + 10_000;
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (Date.now() >= deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }
}
