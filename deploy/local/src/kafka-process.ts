import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { KafkaOptions } from './backend.js';
import { KAFKA_JARS } from './jars.js';
import { kafkaProperties } from './kafka-properties.js';
import type { KafkaUsers } from './kafka-users.js';
import { Part } from './part.js';

const run = promisify(execFile);

async function format(classPath: string, config: string, users: KafkaUsers): Promise<void> {
  const scram = Object.values(users).flatMap(({ username, password }) => [
    '--add-scram',
    `SCRAM-SHA-512=[name=${username},password=${password}]`,
  ]);
  const cluster = randomBytes(16).toString('base64url');
  await run('java', [
    '-XX:TieredStopAtLevel=1',
    '-XX:+UseSerialGC',
    '-cp',
    classPath,
    'kafka.tools.StorageTool',
    'format',
    // Joined, since an id may start with a dash.
    `--cluster-id=${cluster}`,
    '-c',
    config,
    ...scram,
  ]);
}

/** A broker as a process of ours. */
export async function startKafkaProcess(o: KafkaOptions): Promise<Part> {
  const classPath = await KAFKA_JARS.classPath();
  await mkdir(o.dataDir, { recursive: true, mode: 0o700 });
  const config = join(o.dataDir, 'server.properties');
  await writeFile(
    config,
    kafkaProperties({
      ...o,
      host: '127.0.0.1',
      logDir: join(o.dataDir, 'log'),
      adminPassword: o.users['admin']?.password ?? '',
    }),
    { mode: 0o600 },
  );
  await access(join(o.dataDir, 'log/meta.properties')).catch(() => format(classPath, config, o.users));
  const part = new Part({
    name: 'kafka',
    command: 'java',
    args: [
      '-Xms256m',
      '-Xmx512m',
      // As Kafka's own start script has it.
      '-XX:+UseG1GC',
      '-XX:MaxGCPauseMillis=20',
      '-XX:InitiatingHeapOccupancyPercent=35',
      // What it keeps for longer it keeps for good: copied in up to fifteen collections, as by default, it makes each of them
      // stand still for twice as long.
      '-XX:MaxTenuringThreshold=2',
      '-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn',
      '-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaConfig=warn',
      '-cp',
      classPath,
      'kafka.Kafka',
      config,
    ],
    log: join(o.dataDir, 'kafka.log'),
  });
  // On a busy machine it takes its time, and after a crash even more.
  await part.says(/Kafka Server started/, 180_000);
  return part;
}
