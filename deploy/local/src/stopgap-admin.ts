import type { Topic } from '@castiron/contracts';
import type { AclRule, KafkaSettings } from '@castiron/kafka';
import kafkajs from 'kafkajs';

// Until @castiron/kafka has its admin; then this file goes.
const { Kafka, AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

const RESOURCES = {
  topic: AclResourceTypes.TOPIC,
  group: AclResourceTypes.GROUP,
  cluster: AclResourceTypes.CLUSTER,
  'transactional-id': AclResourceTypes.TRANSACTIONAL_ID,
};
const operation = (name: string) => AclOperationTypes[name.replaceAll('-', '_').toUpperCase() as keyof typeof AclOperationTypes];

export function stopgapAdmin(settings: KafkaSettings) {
  const { brokers, clientId, username, password } = settings;
  const kafka = new Kafka({ brokers: [...brokers], clientId, sasl: { mechanism: 'scram-sha-512', username, password } });
  const admin = kafka.admin();
  const connected = admin.connect();
  return {
    async createTopics(topics: readonly Topic[]) {
      await connected;
      const existing = new Set(await admin.listTopics());
      await admin.createTopics({
        waitForLeaders: true,
        topics: topics
          .filter(({ name }) => !existing.has(name))
          .map(({ name, partitions, config }) => ({
            topic: name,
            numPartitions: partitions,
            replicationFactor: 1,
            configEntries: Object.entries(config).map(([key, value]) => ({ name: key, value })),
          })),
      });
    },
    async allow(rules: readonly AclRule[]) {
      await connected;
      await admin.createAcls({
        acl: rules.map((rule) => ({
          resourceType: RESOURCES[rule.resource],
          resourceName: rule.name,
          resourcePatternType: rule.pattern === 'prefixed' ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
          principal: rule.principal,
          host: '*',
          operation: operation(rule.operation),
          permissionType: AclPermissionTypes.ALLOW,
        })),
      });
    },
    close: () => admin.disconnect(),
  };
}
