import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { kafkaClassPath } from './kafka-jars.js';
import { Part } from './part.js';

const run = promisify(execFile);

export interface KafkaUsers {
  readonly [username: string]: { readonly username: string; readonly password: string };
}

function properties(o: { dataDir: string; port: number; controllerPort: number; adminPassword: string }): string {
  const login = (module: string, rest = '') =>
    `org.apache.kafka.common.security.${module} required username="admin" password="${o.adminPassword}"${rest};`;
  return `
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${o.controllerPort}
listeners=CLIENT://127.0.0.1:${o.port},CONTROLLER://127.0.0.1:${o.controllerPort}
advertised.listeners=CLIENT://127.0.0.1:${o.port}
listener.security.protocol.map=CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT
inter.broker.listener.name=CLIENT
controller.listener.names=CONTROLLER
sasl.enabled.mechanisms=SCRAM-SHA-512
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
sasl.mechanism.controller.protocol=PLAIN
listener.name.client.scram-sha-512.sasl.jaas.config=${login('scram.ScramLoginModule')}
listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.controller.plain.sasl.jaas.config=${login('plain.PlainLoginModule', ` user_admin="${o.adminPassword}"`)}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:admin
allow.everyone.if.no.acl.found=false
auto.create.topics.enable=false
connections.max.reauth.ms=300000
log.dirs=${join(o.dataDir, 'log')}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.backoff.ms=5000
log.cleaner.dedupe.buffer.size=16777216
message.max.bytes=1048588
`;
}

async function format(classPath: string, config: string, users: KafkaUsers): Promise<void> {
  const scram = Object.values(users).flatMap(({ username, password }) => [
    '--add-scram',
    `SCRAM-SHA-512=[name=${username},password=${password}]`,
  ]);
  const cluster = randomBytes(16).toString('base64url');
  await run('java', ['-cp', classPath, 'kafka.tools.StorageTool', 'format', '-t', cluster, '-c', config, ...scram]);
}

/** A broker of its own, as a process: one node, SASL/SCRAM for clients, whatever no rule allows denied. */
export async function startKafkaProcess(o: {
  dataDir: string;
  port: number;
  controllerPort: number;
  users: KafkaUsers;
}): Promise<{ part: Part; bootstrap: string }> {
  const classPath = await kafkaClassPath();
  await mkdir(o.dataDir, { recursive: true, mode: 0o700 });
  const config = join(o.dataDir, 'server.properties');
  await writeFile(config, properties({ ...o, adminPassword: o.users['admin']?.password ?? '' }), { mode: 0o600 });
  await access(join(o.dataDir, 'log/meta.properties')).catch(() => format(classPath, config, o.users));
  const part = new Part({
    name: 'kafka',
    command: 'java',
    args: [
      '-Xms128m',
      '-Xmx512m',
      '-XX:+UseSerialGC',
      '-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn',
      '-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaConfig=warn',
      '-cp',
      classPath,
      'kafka.Kafka',
      config,
    ],
    log: join(o.dataDir, 'kafka.log'),
  });
  await part.says(/Kafka Server started/);
  return { part, bootstrap: `127.0.0.1:${o.port}` };
}
