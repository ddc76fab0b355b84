import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Backend, Running } from './backend.js';
import { chooseBackend } from './choose-backend.js';
import { adminUrl, createDatabases, type DatabaseName } from './databases.js';
import { mintToken, startIdentity, type Client, type IdentityEndpoints } from './identity.js';
import type { KafkaUsers } from './kafka-users.js';
import { provisionKafka } from './kafka-provisioning.js';
import { startMail, type MailEndpoints } from './mail.js';
import { choosePorts } from './ports.js';
import type { PostgresSettings } from './postgres-settings.js';
import { PRINCIPAL_NAMES } from './principals.js';
import { Secrets } from './secrets.js';

export interface StackOptions {
  /** Everything of this stack lies below it: data, logs, passwords. */
  readonly dataDir: string;
  /** Begin with an empty folder. */
  readonly fresh?: boolean;
  /** Keep the data when it stops, and have it survive a crash of the machine. Default true. */
  readonly keep?: boolean;
  /** Decides what runs Kafka and PostgreSQL, whatever the machine has. */
  readonly backend?: Backend['name'];
  /** Further listeners of the broker, by name, with the port that their clients are told. Processes only. */
  readonly kafkaListeners?: Readonly<Record<string, number>>;
  /** Settings of the broker on top of what every stack has. */
  readonly kafkaSettings?: Readonly<Record<string, string>>;
  /** Settings of PostgreSQL on top of what every stack has. */
  readonly postgresSettings?: PostgresSettings;
}

/** What one needs to use a running stack; plain data, so that it can be handed to other processes as JSON. */
export interface StackEndpoints {
  readonly dataDir: string;
  readonly kafka: {
    readonly bootstrap: string;
    readonly principals: KafkaUsers;
    /** The ports of further listeners, by name. */
    readonly listeners?: Readonly<Record<string, number>>;
  };
  readonly postgres: Readonly<Record<DatabaseName | 'admin', string>>;
  readonly identity: IdentityEndpoints & { readonly clients: Readonly<Record<string, Client>> };
  readonly mail: MailEndpoints;
}

export interface Stack extends StackEndpoints {
  readonly identity: StackEndpoints['identity'] & {
    /** A bearer token; `ttl` in seconds, 12 hours unless told. */
    mint(role: string, sub: string, ttl?: number): Promise<string>;
  };
  /** Resolves with the reason when a part ended that nobody stopped. */
  readonly broken: Promise<string>;
  /** What faults are tried on. */
  readonly parts: { readonly kafka: Running; readonly postgres: Running };
  /** Starts a part again, on its old port and data, after it was killed. */
  restart(part: 'kafka' | 'postgres'): Promise<void>;
  stop(): Promise<void>;
}

const PORTS = ['kafka', 'controller', 'postgres', 'identity', 'smtp', 'mailWeb'] as const;

/** Starts Kafka, PostgreSQL, the identity provider and the mail sink, all on 127.0.0.1 and on free ports. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { dataDir, keep = true } = options;
  const madeWith = await readFile(join(dataDir, 'backend'), 'utf8').catch(() => undefined);
  const backend = await chooseBackend(options.fresh ? undefined : madeWith, options.backend);
  // Before a fresh start gives anything up.
  await backend.prepare();
  if (options.fresh) {
    await backend.clear(dataDir);
    await rm(dataDir, { recursive: true, force: true });
  }
  await mkdir(dataDir, { recursive: true, mode: 0o755 });
  await writeFile(join(dataDir, 'backend'), backend.name);
  const secrets = await Secrets.of(join(dataDir, 'secrets.json'));
  const advertised = options.kafkaListeners ?? {};
  const ports = await choosePorts(
    [...PORTS, ...Object.keys(advertised).map((name) => `kafka.${name}` as const)],
    join(dataDir, 'ports.json'),
  );
  const listeners = Object.fromEntries(Object.keys(advertised).map((name) => [name, ports[`kafka.${name}`] ?? 0]));
  const users: KafkaUsers = Object.fromEntries(
    PRINCIPAL_NAMES.map((username) => [username, { username, password: secrets.get(`kafka.${username}`) }]),
  );
  const adminPassword = secrets.get('postgres.admin');
  const secretOf = (name: string) => secrets.get(`identity.${name}`);

  const stops: (() => Promise<unknown>)[] = [];
  const started = <T>(starting: Promise<T>, stop: (it: T) => Promise<unknown>): Promise<T> =>
    starting.then((it) => {
      stops.unshift(() => stop(it));
      return it;
    });
  const stop = async () => {
    await Promise.all(stops.splice(0).map((each) => each()));
    if (!keep) await rm(dataDir, { recursive: true, force: true, maxRetries: 3 });
  };

  const stopPart = (part: Running) => part.stop();
  const startKafka = () =>
    backend.startKafka({
      dataDir: join(dataDir, 'kafka'),
      port: ports.kafka,
      controllerPort: ports.controller,
      users,
      keep,
      listeners: Object.entries(advertised).map(([name, advertisedPort]) => ({
        name,
        port: listeners[name] ?? 0,
        advertisedPort,
      })),
      settings: options.kafkaSettings ?? {},
    });
  const startPostgres = () =>
    backend.startPostgres({
      dataDir: join(dataDir, 'postgres'),
      port: ports.postgres,
      password: adminPassword,
      keep,
      settings: options.postgresSettings ?? {},
    });
  const starting = [
    started(startKafka(), stopPart).then(async (part) => {
      const bootstrap = `127.0.0.1:${ports.kafka}`;
      await provisionKafka(bootstrap, users['admin']?.password ?? '');
      return { part, bootstrap };
    }),
    started(startPostgres(), stopPart).then(async (part) => {
      const server = { host: '127.0.0.1', port: ports.postgres };
      const admin = adminUrl(server, adminPassword);
      const urls = await createDatabases(server, admin, (name) => secrets.get(`postgres.${name}`));
      return { part, urls: { ...urls, admin } };
    }),
    started(startIdentity({ port: ports.identity, keyFile: join(dataDir, 'identity-key.json'), secretOf }), (it) =>
      it.stop(),
    ),
    started(startMail({ dataDir: join(dataDir, 'mail'), smtpPort: ports.smtp, webPort: ports.mailWeb }), ({ part }) =>
      part.stop(),
    ),
  ] as const;
  try {
    const [kafka, postgres, identity, mail] = await Promise.all(starting);
    const parts: { kafka: Running; postgres: Running } = { kafka: kafka.part, postgres: postgres.part };
    return {
      dataDir,
      kafka: {
        bootstrap: kafka.bootstrap,
        principals: users,
        ...(options.kafkaListeners !== undefined && { listeners }),
      },
      postgres: postgres.urls,
      identity: {
        ...identity.endpoints,
        clients: identity.clients,
        mint: (role, sub, ttl) => mintToken(identity.endpoints, role, sub, ttl),
      },
      mail: mail.endpoints,
      broken: Promise.race([kafka.part.ended, postgres.part.ended, mail.part.ended]),
      parts,
      restart: async (name) => {
        parts[name] = await started(name === 'kafka' ? startKafka() : startPostgres(), stopPart);
      },
      stop,
    };
  } catch (error) {
    await Promise.allSettled(starting);
    await stop();
    throw error;
  }
}

/** The plain data of a stack. */
export function endpointsOf(stack: Stack): StackEndpoints {
  const { dataDir, kafka, postgres, identity, mail } = stack;
  const { issuer, token, minting, clients } = identity;
  return { dataDir, kafka, postgres, identity: { issuer, token, minting, clients }, mail };
}
