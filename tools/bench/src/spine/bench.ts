import { topicOf, type Topic } from '@castiron/contracts';
import { connect, type Admin } from '@castiron/kafka';
import type { Stack } from '@castiron/local-stack';
import { makeDatabase } from './database.js';
import type { ConnectWorker } from './debezium/connect-worker.js';
import { contractOn } from './events.js';
import type { OnTopic, Places } from './places.js';
import { Side } from './side.js';
import type { Programs } from './sides/programs.js';

/** How much is done of everything. */
export interface Sizes {
  readonly rounds: number;
  /** Rows of a backlog. */
  readonly backlog: number;
  /** Messages that an inbox reads in batches; one by one it reads a tenth. */
  readonly messages: number;
  readonly latencySeconds: number;
  readonly latencyWarmUpSeconds: number;
  readonly commitSeconds: number;
  readonly idleSeconds: number;
  /** How long after its start a service is taken for idle: until then V8 compiles what it runs. */
  readonly idleAfterSeconds: number;
  /** Rows of the backlog under which services' memory is watched. */
  readonly memoryBacklog: number;
  /** Records that are disclosed at once. */
  readonly records: number;
  /** Changes that take something away, of each kind. */
  readonly takenAway: number;
}

export const FULL: Sizes = {
  rounds: 5,
  backlog: 300_000,
  messages: 100_000,
  latencySeconds: 60,
  latencyWarmUpSeconds: 5,
  commitSeconds: 10,
  idleSeconds: 60,
  idleAfterSeconds: 600,
  memoryBacklog: 1_000_000,
  records: 20_000,
  takenAway: 300,
};

/** Says whether it works and little more. */
export const QUICK: Sizes = {
  rounds: 3,
  backlog: 30_000,
  messages: 30_000,
  latencySeconds: 8,
  latencyWarmUpSeconds: 5,
  commitSeconds: 3,
  idleSeconds: 10,
  idleAfterSeconds: 60,
  memoryBacklog: 60_000,
  records: 5_000,
  takenAway: 50,
};

/** Above a thousand records of any size that a bench makes. */
const LARGE_BATCH = 16 * 2 ** 20;

/** What the figures share: the stack, and the sides that live over all rounds. */
export class Bench {
  private readonly sides = new Map<string, Side<unknown>>();
  private readonly admin: Admin;
  readonly kafka: Places['kafka'];

  /** Debezium, where it was asked for. */
  debezium: ConnectWorker | undefined;

  constructor(
    readonly stack: Stack,
    readonly sizes: Sizes,
    /** A folder for CPU profiles. */
    readonly profiles?: string,
  ) {
    const principal = stack.kafka.principals['admin'];
    if (principal === undefined) throw new Error('the stack has no admin');
    this.kafka = { brokers: [stack.kafka.bootstrap], clientId: 'bench', ...principal };
    this.admin = connect(this.kafka).admin();
  }

  /** A process that runs this program. Two of a kind have different names. */
  async side<Name extends keyof Programs>(program: Name, name: string = program): Promise<Side<Programs[Name]>> {
    let side = this.sides.get(name);
    if (side === undefined) this.sides.set(name, (side = await Side.start(program, this.profiles)));
    return side;
  }

  /** Ends the sides, so that those of one figure take nothing from the next. */
  async endSides(): Promise<void> {
    await Promise.all([...this.sides.values()].map((side) => side.stop()));
    this.sides.clear();
  }

  database(name: string): Promise<string> {
    return makeDatabase(this.stack.postgres.admin, `bench_${name}`);
  }

  /**
   * Makes a topic like those of the product, but for the compression: where the broker compresses, both sides of a ratio
   * wait for that, and what the product costs does not show.
   */
  async topic(url: string, name: string, compression: 'uncompressed' | 'gzip' = 'uncompressed'): Promise<OnTopic> {
    const made = topicOf(contractOn(`bench.${name}.v1`));
    await this.admin.createTopics([{ ...made, config: { ...made.config, 'compression.type': compression } }]);
    return { url, kafka: this.kafka, topic: made.name };
  }

  /** Makes a topic like one of the product, by another name and uncompressed as above, that takes as much at once as one sends. */
  async topicLike({ config, ...like }: Topic, name: string): Promise<string> {
    const own = { 'compression.type': 'uncompressed', 'max.message.bytes': String(LARGE_BATCH) };
    await this.admin.createTopics([{ ...like, name, config: { ...config, ...own } }]);
    return name;
  }

  /** How many records a topic has had. */
  async recordsOn(topic: string): Promise<number> {
    const offsets = await this.admin.endOffsets(topic);
    return offsets.reduce((sum, { offset }) => sum + Number(offset), 0);
  }

  /** Calls work round by round; the first one is warm-up and does not count. */
  async rounds<T>(what: string, work: (round: number) => Promise<T>): Promise<T[]> {
    const results: T[] = [];
    for (let round = 0; round <= this.sizes.rounds; round += 1) {
      process.stderr.write(`${what}: ${round === 0 ? 'warm-up' : `round ${round} of ${this.sizes.rounds}`}\n`);
      const result = await work(round);
      if (round > 0) results.push(result);
    }
    return results;
  }

  async close(): Promise<void> {
    await this.endSides();
    await this.debezium?.stop();
    await this.admin.close();
  }
}

type Sides = Readonly<Record<string, () => Promise<unknown>>>;
type Results<Of extends Sides> = { [Name in keyof Of]: Awaited<ReturnType<Of[Name]>> };

/**
 * One after the other, every other round from the last to the first: whoever goes first meets another machine, and whoever
 * is compared stays next to each other.
 */
export async function inTurn<Of extends Sides>(round: number, sides: Of): Promise<Results<Of>> {
  const names = Object.keys(sides);
  const results: Record<string, unknown> = {};
  for (const name of round % 2 === 0 ? names : names.toReversed()) results[name] = await sides[name]?.();
  // Sound: each name was called once.
  return results as Results<Of>;
}
