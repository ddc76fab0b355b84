import type { KafkaListener } from './backend.js';

/** How a broker is set up, wherever it runs: one node, SASL/SCRAM for clients, whatever no rule allows denied. */
export function kafkaProperties(o: {
  logDir: string;
  /** Where it listens; clients are told 127.0.0.1. */
  host: string;
  port: number;
  controllerPort: number;
  adminPassword: string;
  listeners?: readonly KafkaListener[];
  settings: Readonly<Record<string, string>>;
}): string {
  const more = (of: (listener: KafkaListener) => string) => (o.listeners ?? []).map((each) => `,${of(each)}`).join('');
  const login = (module: string, rest = '') =>
    `org.apache.kafka.common.security.${module} required username="admin" password="${o.adminPassword}"${rest};`;
  return `
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${o.controllerPort}
listeners=CLIENT://${o.host}:${o.port},CONTROLLER://127.0.0.1:${o.controllerPort}${more(({ name, port }) => `${name}://127.0.0.1:${port}`)}
advertised.listeners=CLIENT://127.0.0.1:${o.port}${more(({ name, advertisedPort }) => `${name}://127.0.0.1:${advertisedPort}`)}
listener.security.protocol.map=CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT${more(({ name }) => `${name}:SASL_PLAINTEXT`)}
inter.broker.listener.name=CLIENT
controller.listener.names=CONTROLLER
sasl.enabled.mechanisms=SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
sasl.mechanism.controller.protocol=PLAIN
listener.name.client.scram-sha-512.sasl.jaas.config=${login('scram.ScramLoginModule')}
${(o.listeners ?? []).map(({ name }) => `listener.name.${name.toLowerCase()}.scram-sha-512.sasl.jaas.config=${login('scram.ScramLoginModule')}\n`).join('')}listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.controller.plain.sasl.jaas.config=${login('plain.PlainLoginModule', ` user_admin="${o.adminPassword}"`)}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:admin
allow.everyone.if.no.acl.found=false
auto.create.topics.enable=false
connections.max.reauth.ms=300000
log.dirs=${o.logDir}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.message.timestamp.type=LogAppendTime
log.cleaner.backoff.ms=5000
log.cleaner.dedupe.buffer.size=16777216
${Object.entries(o.settings)
  .map(([name, value]) => `${name}=${value}\n`)
  .join('')}`;
}
