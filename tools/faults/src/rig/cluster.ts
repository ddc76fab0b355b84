import { randomInt, randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type Kafka } from '@castiron/kafka';
import {
  environmentOf,
  HttpClient,
  registerInternalRecipients,
  startStack,
  type Stack,
  type StackEndpoints,
} from '@castiron/local-stack';
import { REPLICAS, SERVICES, type Service } from '../plan/faults.js';
import { Front } from '../proxy/front.js';
import { kafkaInspector } from '../proxy/kafka-inspector.js';
import type { Gate } from '../proxy/link.js';
import type { ReplicaMemory } from '../proxy/points.js';
import { postgresInspector } from '../proxy/postgres-inspector.js';
import { Proxy } from '../proxy/proxy.js';
import { Traps } from '../proxy/traps.js';
import { Databases } from '../observe/databases.js';
import { TakeoverCount } from './lanes.js';
import { Replica } from './replica.js';

const STOP_WITHIN_MS = 20_000;

export interface ClusterOptions {
  /** Where the logs go. */
  readonly folder: string;
  readonly nodeArguments: readonly string[];
  /** How long a silent process keeps what it holds, in ms. */
  readonly leaseMs: number;
  /** The same of a lane of feeds. Default: half of it. */
  readonly feedLeaseMs?: number;
  /** Asked of each frame at a point that no trap catches. */
  readonly gate?: Gate;
}

/** A place in the cluster that a replica will have. */
interface Seat {
  readonly service: Service;
  readonly index: number;
  readonly name: string;
  readonly memory: ReplicaMemory;
  readonly kafka: Proxy;
  readonly postgres: Proxy;
  readonly port: number;
}

/** Below those that systems give to connections that go out: while a replica is away, nobody is to be given its port. */
const [LOWEST_PORT, HIGHEST_PORT] = [20_000, 32_000];

async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(LOWEST_PORT, HIGHEST_PORT);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

/** The same, reached through a replica's own proxies. */
function throughProxies(stack: StackEndpoints, { kafka, postgres }: Seat): StackEndpoints {
  const moved = (url: string): string => {
    const other = new URL(url);
    other.port = String(postgres.port);
    return other.toString();
  };
  return {
    ...stack,
    kafka: { ...stack.kafka, bootstrap: `127.0.0.1:${kafka.port}` },
    postgres: Object.fromEntries(
      Object.entries(stack.postgres).map(([name, url]) => [name, moved(url)]),
    ) as unknown as StackEndpoints['postgres'],
  };
}

const listenerOf = (name: string): string => name.replaceAll('-', '').toUpperCase();

/** Kafka, PostgreSQL, two replicas of each service, and a proxy of ours before each of their connections. */
export class Cluster {
  private readonly stops: (() => unknown)[] = [];

  private constructor(
    readonly stack: Stack,
    readonly traps: Traps,
    readonly replicas: readonly Replica[],
    readonly client: HttpClient,
    readonly databases: Databases,
    readonly takeovers: TakeoverCount,
  ) {}

  static async start(options: ClusterOptions): Promise<Cluster> {
    const traps = new Traps();
    let stack: Stack | undefined;
    const stops: (() => unknown)[] = [];
    try {
      const seats: Seat[] = [];
      for (const service of SERVICES) {
        for (let index = 0; index < REPLICAS; index += 1) {
          const name = `${service}-${index + 1}`;
          const memory: ReplicaMemory = { acknowledged: false };
          const gate: Gate = (point, pipe) => traps.pass(point, pipe) || options.gate?.(point, pipe) === true;
          const kafka = await Proxy.listen({
            owner: name,
            target: () => stack?.kafka.listeners?.[listenerOf(name)] ?? 0,
            inspect: () => kafkaInspector(memory),
            gate,
          });
          const postgres = await Proxy.listen({
            owner: name,
            target: () => Number(new URL(stack?.postgres.admin ?? 'postgres://x:1').port),
            inspect: () => postgresInspector(memory),
            gate,
          });
          stops.push(
            () => kafka.close(),
            () => postgres.close(),
          );
          seats.push({ service, index, name, memory, kafka, postgres, port: await freePort() });
        }
      }
      await rm(options.folder, { recursive: true, force: true });
      await mkdir(options.folder, { recursive: true });
      const started = (stack = await startStack({
        dataDir: join(tmpdir(), `castiron-faults-${randomUUID()}`),
        keep: false,
        backend: 'process',
        kafkaSettings: {
          // The checker looks at every version that was sent: compaction would take former ones away after ten minutes.
          'log.cleaner.enable': 'false',
          // A broker that was killed is not taken back before its former self is given up, after nine seconds by default.
          'broker.session.timeout.ms': '3000',
          'broker.heartbeat.interval.ms': '500',
        },
        kafkaListeners: Object.fromEntries(seats.map(({ name, kafka }) => [listenerOf(name), kafka.port])),
      }));
      stops.push(() => started.stop());
      const front = new Front(() =>
        seats.filter(({ service }) => service === 'customer-profiles').map(({ port }) => port),
      );
      const keys = await front.listen();
      stops.push(() => front.close());
      const replicas: Replica[] = [];
      for (const seat of seats) {
        // A customer-profiles replica listens on its own port; everybody else reaches either through the front.
        const ports = {
          'customer-profiles': keys,
          'partner-sharing': 0,
          notifications: 0,
          recommendations: 0,
          [seat.service]: seat.port,
        };
        // One after the other, for two replicas share a key file.
        const environment = await environmentOf(seat.service, throughProxies(started, seat), ports);
        replicas.push(
          new Replica({
            ...seat,
            environment: {
              ...environment,
              LEASE_MS: String(options.leaseMs),
              FEED_LEASE_MS: String(options.feedLeaseMs ?? options.leaseMs / 2),
            },
            log: join(options.folder, `${seat.name}.log`),
            nodeArguments: options.nodeArguments,
            proxies: { broker: seat.kafka, database: seat.postgres },
          }),
        );
      }
      stops.push(() => Promise.all(replicas.map((replica) => replica.stop())));
      for (const replica of replicas) replica.start();
      const ready = await Promise.all(replicas.map((replica) => replica.ready()));
      const late = replicas.find((_, index) => ready[index] !== true);
      if (late !== undefined) throw new Error(`${late.name} did not get ready: ${late.lastWords ?? `see ${late.log}`}`);
      const client = new HttpClient(
        started.identity,
        Object.fromEntries(replicas.map(({ name, service, url }) => [name.endsWith('-1') ? service : name, { url }])),
      );
      await registerInternalRecipients(started, client);
      const databases = await Databases.open(started.postgres.admin);
      const takeovers = await TakeoverCount.in(databases);
      const cluster = new Cluster(started, traps, replicas, client, databases, takeovers);
      cluster.stops.push(...stops, () => databases.close());
      return cluster;
    } catch (error) {
      for (const stop of stops.reverse()) await Promise.resolve(stop()).catch(() => undefined);
      throw error;
    }
  }

  /** Straight to the broker, as its super user. */
  kafka(): Kafka {
    const { username = '', password = '' } = this.stack.kafka.principals['admin'] ?? {};
    return connect({ brokers: [this.stack.kafka.bootstrap], clientId: 'faults', username, password });
  }

  replicasOf(service: Service): readonly Replica[] {
    return this.replicas.filter((replica) => replica.service === service);
  }

  named(name: string): Replica {
    const found = this.replicas.find((replica) => replica.name === name);
    if (found === undefined) throw new Error(`no replica ${name}`);
    return found;
  }

  async stop(): Promise<void> {
    for (const stop of this.stops.splice(0).reverse()) {
      // What does not end by itself ends with this process.
      const late = new Promise((resolve) => setTimeout(resolve, STOP_WITHIN_MS).unref());
      await Promise.race([Promise.resolve(stop()).catch(() => undefined), late]);
    }
  }
}
