import type { KafkaUsers } from './kafka-users.js';
import type { PostgresSettings } from './postgres-settings.js';

/** A server that runs somewhere, whatever runs it. */
export interface Running {
  /** Resolves with the reason once it is gone. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
  /** It takes and answers nothing until it is thawed, as if the network held everything up. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
}

/** A further way in to the broker, whose clients are sent to another port than it listens on: through a proxy there. */
export interface KafkaListener {
  /** Upper case letters and digits. */
  readonly name: string;
  readonly port: number;
  readonly advertisedPort: number;
}

export interface KafkaOptions {
  readonly dataDir: string;
  readonly port: number;
  readonly controllerPort: number;
  /** Users that exist from the first start, `admin` among them. */
  readonly users: KafkaUsers;
  readonly keep: boolean;
  /** Only where the broker is a process of ours. */
  readonly listeners?: readonly KafkaListener[];
  /** On top of what every broker has. */
  readonly settings: Readonly<Record<string, string>>;
}

export interface PostgresOptions {
  readonly dataDir: string;
  readonly port: number;
  /** Of the superuser `admin`. */
  readonly password: string;
  /** Whether data must survive the server, and a crash of the machine; tests need not wait for the disk. */
  readonly keep: boolean;
  /** On top of what every server has. */
  readonly settings?: PostgresSettings;
}

/** What runs Kafka and PostgreSQL: processes of ours, or a Docker engine. Both are reached on 127.0.0.1 at the given ports. */
export interface Backend {
  readonly name: 'process' | 'docker';
  /** Fetches what is missing; fails, before anything is touched, with what a person must install. */
  prepare(): Promise<void>;
  /** Removes what an earlier run kept outside of the data folder. */
  clear(dataDir: string): Promise<void>;
  startKafka(options: KafkaOptions): Promise<Running>;
  startPostgres(options: PostgresOptions): Promise<Running>;
}
