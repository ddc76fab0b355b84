import { connect } from '@castiron/kafka';
import { topicsOfRecipient, type WireMessage } from '@castiron/contracts';
import type { Part } from '@castiron/local-stack';
import { nameOf, type Fault, type Service } from '../plan/faults.js';
import { Random } from '../plan/random.js';
import { BEFORE_FENCE } from '../proxy/points.js';
import type { Caught } from '../proxy/traps.js';
import { patiently } from '../observe/patiently.js';
import { COPY, readTopic, type Placed } from '../observe/topics.js';
import type { Cluster } from './cluster.js';

/** How long a trap waits for somebody to come by. */
const CATCH_WITHIN_MS = 6_000;
/** The next fault waits for a replica that starts again, but not longer. */
const GOES_ON_AFTER_MS = 4_000;
const TRIES = 5;
/** A group gives a member its part within some leases, and messages come all the time. */
const GIVEN_WITHIN_MS = 10_000;
/** Time for the markers of a decided commit. */
const MARKERS_MS = 1_500;

export interface NemesisOptions {
  /** Topics whose records may be delivered twice, and which of them are of this run. */
  readonly copyable: readonly string[];
  readonly since: (record: Placed) => boolean;
  /** Whether the broker may be killed while it commits, see {@link Nemesis.killBroker}. */
  readonly midCommit: boolean;
  /** Of the services, in ms. */
  readonly leaseMs: number;
  readonly seed: number;
}

export interface Happened {
  readonly fault: Fault;
  readonly replica?: string;
}

/** From the first fault's beginning to the last one's end, in ms since the epoch. */
export interface Broken {
  readonly from: number;
  readonly until: number;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Does what the plan says, one thing at a time, each healed before the next begins. */
export class Nemesis {
  readonly happened: Happened[] = [];
  readonly missed: Fault[] = [];
  private readonly times: number[] = [];
  /** Replicas that did not end as they are to when they are asked. */
  readonly late: string[] = [];

  constructor(
    private readonly cluster: Cluster,
    private readonly tell: (what: Readonly<Record<string, unknown>>) => void,
    private readonly options: NemesisOptions,
  ) {}

  get broken(): Broken {
    return { from: this.times.at(0) ?? Infinity, until: this.times.at(-1) ?? -Infinity };
  }

  /** @param goesOn false ends it before the next fault */
  async run(faults: readonly Fault[], goesOn: () => boolean): Promise<void> {
    const waiting = faults.map((fault) => ({ fault, tries: TRIES }));
    for (let next = waiting.shift(); next !== undefined && goesOn(); next = waiting.shift()) {
      const { fault, tries } = next;
      await pause(fault.after);
      const name = nameOf(fault);
      this.tell({ type: 'fault', f: fault.kind, fault: name, begins: true });
      this.times.push(Date.now());
      const replica = await this.bring(fault);
      this.times.push(Date.now());
      if (replica !== false) {
        this.happened.push({ fault, ...(replica !== undefined && { replica }) });
        this.tell({ type: 'fault', f: fault.kind, fault: name, healed: true, replica });
        continue;
      }
      this.tell({ type: 'fault', f: fault.kind, fault: name, missed: true });
      // Nobody came by: again later, when others may.
      if (tries > 1)
        waiting.push({ fault: { ...fault, ...(fault.kind === 'at-point' && { letPass: 0 }) }, tries: tries - 1 });
      else this.missed.push(fault);
    }
  }

  /** @returns whom it hit, where it was one; false where it did not come to pass */
  private async bring(fault: Fault): Promise<string | undefined | false> {
    const { cluster } = this;
    switch (fault.kind) {
      case 'at-point':
        return this.atPoint(fault);
      case 'broker-away':
        await this.killBroker(fault.ms);
        return undefined;
      case 'database-restart':
        await this.restartDatabase();
        return undefined;
      case 'backends-terminated':
        return (await cluster.databases.terminateOthers()) > 0 ? undefined : false;
      case 'delivered-twice':
        return (await this.deliverTwice(fault.copies)) > 0 ? undefined : false;
      case 'third-member':
        return (await this.joinThird(fault.service, fault.ms)) ? undefined : false;
      case 'asked-to-end': {
        const replica = cluster.named(`${fault.service}-${fault.replica + 1}`);
        const late = await replica.askToEnd();
        if (late !== undefined) this.late.push(`${replica.name} was asked to end, and ${late}`);
        await replica.ready(GOES_ON_AFTER_MS);
        return replica.name;
      }
      case 'cut-off': {
        const replica = cluster.named(`${fault.service}-${fault.replica + 1}`);
        replica.refuses = true;
        replica.cutConnections();
        await pause(fault.ms);
        replica.refuses = false;
        return replica.name;
      }
    }
  }

  /**
   * A broker that is alone and dies between deciding a commit and writing its markers never writes them: it starts as its
   * own transaction coordinator before it knows who leads the partitions, takes them for deleted, and leaves the
   * transaction open for good (seen with 4.3.1: "likely deleted already and hence can be skipped"). Where others take over
   * that does not happen, so here no transaction is ended in the moment of the kill, nor by those who come back first,
   * unless that is asked for.
   */
  private async killBroker(ms: number): Promise<void> {
    const { stack, traps } = this.cluster;
    const { midCommit } = this.options;
    const open = midCommit ? () => undefined : traps.bar(['before-feed-commit', BEFORE_FENCE]);
    try {
      if (!midCommit) await pause(MARKERS_MS);
      await (stack.parts.kafka as Part).kill();
      await pause(ms);
      await stack.restart('kafka');
      if (!midCommit) await pause(MARKERS_MS);
    } finally {
      open();
    }
  }

  private async atPoint(fault: Fault & { kind: 'at-point' }): Promise<string | false> {
    const among = this.cluster.replicasOf(fault.service).map(({ name }) => name);
    const caught = await this.cluster.traps.catch(fault.point, among, {
      letPass: fault.letPass,
      within: CATCH_WITHIN_MS,
    });
    if (caught === undefined) return false;
    this.tell({ type: 'caught', point: fault.point, replica: caught.replica });
    await this.actOn(caught, fault);
    return caught.replica;
  }

  private async actOn(
    { replica: name, pipe }: Caught,
    { action, ms, afterwards }: Fault & { kind: 'at-point' },
  ): Promise<void> {
    const replica = this.cluster.named(name);
    switch (action) {
      case 'kill':
        replica.kill();
        pipe.link.cut();
        await replica.ready(GOES_ON_AFTER_MS);
        return;
      case 'pause':
        replica.signal('SIGSTOP');
        if (!afterwards) pipe.letGo();
        await pause(ms);
        replica.signal('SIGCONT');
        if (afterwards) pipe.letGo();
        return;
      case 'cut':
        pipe.link.cut();
        return;
      case 'delay':
        await pause(ms);
        pipe.letGo();
        return;
      case 'half-open':
        pipe.link.freeze();
        await pause(ms);
        pipe.link.cut();
        return;
      case 'kill-and-arrive-late':
        pipe.link.outlive();
        replica.kill();
        await Promise.all([pause(ms), replica.ready(GOES_ON_AFTER_MS)]);
        pipe.link.arrive();
        return;
    }
  }

  private async restartDatabase(): Promise<void> {
    const part = this.cluster.stack.parts.postgres as Part;
    if (part.pid !== undefined) process.kill(part.pid, 'SIGQUIT');
    await part.ended;
    await this.cluster.stack.restart('postgres');
  }

  /** Puts copies of events that stand on their topics behind them, byte for byte but for a mark that no service looks at. */
  private async deliverTwice(copies: number): Promise<number> {
    const records = (
      await Promise.all(this.options.copyable.map((topic) => patiently(() => readTopic(this.cluster.kafka(), topic))))
    )
      .flatMap(({ records: own }) => own)
      .filter(this.options.since);
    const random = new Random('copies', this.options.seed, this.happened.length);
    const chosen = random.shuffled(records).slice(0, copies);
    const producer = this.cluster.kafka().producer();
    try {
      await producer.send(
        chosen.map(({ topic, key, value, headers }): WireMessage => ({
          topic,
          key,
          value,
          headers: { ...headers, [COPY]: 'yes' },
        })),
      );
    } finally {
      await producer.close();
    }
    return chosen.length;
  }

  /**
   * Takes part of the partitions away from the service for a while, and gives them back without having done anything.
   * @returns whether it was given any: it has seen a message of one
   */
  private async joinThird(service: Service, ms: number): Promise<boolean> {
    const { username = '', password = '' } = this.cluster.stack.kafka.principals[service] ?? {};
    const { leaseMs } = this.options;
    const brokers = [this.cluster.stack.kafka.bootstrap];
    const kafka = connect({ brokers, clientId: 'third', username, password, leaseMs });
    const { feed, duties } = topicsOfRecipient('notifications');
    let leave: () => void = () => undefined;
    const left = new Promise<void>((resolve) => (leave = resolve));
    let isGiven: () => void = () => undefined;
    const given = new Promise<true>((resolve) => (isGiven = () => resolve(true)));
    const third = kafka.consumer({
      groupId: service === 'notifications' ? 'notifications.inbox' : service,
      topics:
        service === 'notifications' ? [feed.name, duties.name] : ['customers.profiles.v1', 'notifications.mailings.v1'],
      // What it gets it leaves as it is: stopped before this ends, it commits nothing.
      onBatch: () => {
        isGiven();
        return left;
      },
      onCrash: () => undefined,
    });
    await third.start();
    const was = await Promise.race([given, pause(GIVEN_WITHIN_MS).then(() => false)]);
    await pause(ms);
    const stopped = third.stop();
    leave();
    await stopped;
    return was;
  }
}
