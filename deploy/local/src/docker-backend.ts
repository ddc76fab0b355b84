import { createHash, randomBytes } from 'node:crypto';
import { PostgreSqlContainer } from '@testcontainers/postgresql';
import {
  GenericContainer,
  getContainerRuntimeClient,
  ImageName,
  Wait,
  type ContainerRuntimeClient,
  type StartedTestContainer,
} from 'testcontainers';
import type { Backend, KafkaOptions, PostgresOptions, Running } from './backend.js';
import { kafkaProperties } from './kafka-properties.js';
import { acceptsConnections, asArguments, postgresSettings } from './postgres-settings.js';

const KAFKA_IMAGE = process.env['CASTIRON_KAFKA_IMAGE'] ?? 'apache/kafka:4.3.1';
const POSTGRES_IMAGE = process.env['CASTIRON_POSTGRES_IMAGE'] ?? 'postgres:18.4';
const PULL_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 4_000;

const CONFIG = '/tmp/castiron/server.properties';
const LAUNCH = '/tmp/castiron/launch.sh';
const KAFKA_DATA = '/var/lib/kafka/data';
/** PostgreSQL 18's image keeps its clusters below this folder. */
const POSTGRES_DATA = '/var/lib/postgresql';

/** A named volume of one data folder, so that data outlives its container. */
const volumeOf = (dataDir: string, what: string): string =>
  `castiron-${createHash('sha256').update(dataDir).digest('hex').slice(0, 12)}-${what}`;

function running(name: string, client: ContainerRuntimeClient, container: StartedTestContainer): Running {
  const inEngine = client.container.getById(container.getId());
  let stopping: Promise<void> | undefined;
  const ended = inEngine.wait().then(
    ({ StatusCode }: { StatusCode: number }) => `${name} ended: its container exited with ${StatusCode}`,
    (error: unknown) => `${name} ended: ${error instanceof Error ? error.message : String(error)}`,
  );
  return {
    ended,
    stop: () => (stopping ??= container.stop({ timeout: STOP_WITHIN_MS, remove: true }).then(() => undefined)),
    kill: async () => void (await inEngine.kill()),
    freeze: async () => void (await inEngine.pause()),
    thaw: async () => void (await inEngine.unpause()),
  };
}

/** Formats the storage of a first start, then becomes the broker. */
function launchScript(users: KafkaOptions['users']): string {
  const scram = Object.values(users).map(
    ({ username, password }) => `--add-scram 'SCRAM-SHA-512=[name=${username},password=${password}]'`,
  );
  return `#!/bin/sh
set -e
[ -f ${KAFKA_DATA}/log/meta.properties ] || /opt/kafka/bin/kafka-storage.sh format \\
  -t ${randomBytes(16).toString('base64url')} -c ${CONFIG} ${scram.join(' ')}
exec /opt/kafka/bin/kafka-server-start.sh ${CONFIG}
`;
}

async function startKafka(client: ContainerRuntimeClient, o: KafkaOptions): Promise<Running> {
  // Inside and outside on one port: the broker reaches itself at the address that clients are told.
  const container = new GenericContainer(KAFKA_IMAGE)
    .withExposedPorts({ container: o.port, host: o.port })
    .withEnvironment({ KAFKA_HEAP_OPTS: '-Xms256m -Xmx512m -XX:MaxTenuringThreshold=2' })
    .withCopyContentToContainer([
      {
        target: CONFIG,
        content: kafkaProperties({
          ...o,
          host: '0.0.0.0',
          logDir: `${KAFKA_DATA}/log`,
          adminPassword: o.users['admin']?.password ?? '',
        }),
        mode: 0o644,
      },
      { target: LAUNCH, content: launchScript(o.users), mode: 0o755 },
    ])
    .withEntrypoint(['/bin/sh', LAUNCH])
    .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/))
    .withStartupTimeout(60_000);
  if (o.keep) container.withBindMounts([{ source: volumeOf(o.dataDir, 'kafka'), target: KAFKA_DATA }]);
  return running('kafka', client, await container.start());
}

async function startPostgres(client: ContainerRuntimeClient, o: PostgresOptions): Promise<Running> {
  const container = new PostgreSqlContainer(POSTGRES_IMAGE)
    .withDatabase('postgres')
    .withUsername('admin')
    .withPassword(o.password)
    .withCommand(['postgres', ...asArguments(postgresSettings(o.keep, o.settings))]);
  // Replaces the image's random port by the one that was chosen.
  container.withExposedPorts({ container: 5432, host: o.port });
  if (o.keep) container.withBindMounts([{ source: volumeOf(o.dataDir, 'postgres'), target: POSTGRES_DATA }]);
  const started = running('postgresql', client, await container.start());
  await acceptsConnections(o.port, o.password);
  return started;
}

async function pullWhatIsMissing(client: ContainerRuntimeClient): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    const why = new Error(`images were not pulled within ${PULL_WITHIN_MS / 1000} s`);
    timer = setTimeout(() => reject(why), PULL_WITHIN_MS);
  });
  const pulled = async () => {
    for (const name of [KAFKA_IMAGE, POSTGRES_IMAGE]) {
      const image = ImageName.fromString(name);
      if (await client.image.exists(image)) continue;
      console.log(`Pulling ${name} ...`);
      await client.image.pull(image);
    }
  };
  try {
    await Promise.race([pulled(), tooLong]);
  } finally {
    clearTimeout(timer);
  }
}

/** Kafka and PostgreSQL in containers. Fails where no engine answers or its images cannot be had in time. */
export async function dockerBackend(): Promise<Backend> {
  const client = await getContainerRuntimeClient();
  await pullWhatIsMissing(client);
  return {
    name: 'docker',
    // The images are there: that is how Docker was chosen.
    prepare: async () => undefined,
    clear: async (dataDir) => {
      // The folders that the servers are given, see `startStack`.
      for (const what of ['kafka', 'postgres']) {
        await client.container.dockerode
          .getVolume(volumeOf(`${dataDir}/${what}`, what))
          .remove()
          .catch(() => undefined);
      }
    },
    startKafka: (options) => startKafka(client, options),
    startPostgres: (options) => startPostgres(client, options),
  };
}
