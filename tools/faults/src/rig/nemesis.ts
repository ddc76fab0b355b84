import type { Part } from '@castiron/local-stack';
import { pause } from '../pause.js';
import { LONGEST_WAIT_MS, nameOf, type Fault, type Service, type Severity } from '../plan/faults.js';
import { Random } from '../plan/random.js';
import type { Caught } from '../proxy/traps.js';
import type { Placed } from '../observe/topics.js';
import type { Cluster } from './cluster.js';
import { deliverTwice } from './copies.js';
import { lanesAt, leasesOf, successionIn, type LaneTable } from './lanes.js';
import { joinThird } from './third-member.js';

/** How long a trap waits for somebody to come by. */
const CATCH_WITHIN_MS = 6_000;
/** The next fault waits for a replica that starts again, but not longer. */
const GOES_ON_AFTER_MS = 4_000;
const TRIES = 5;
const POLL_MS = 100;
/** A lane is free after a lease; looked for by then, on a machine that is busy. */
const [TAKEN_WITHIN_LEASES, TAKEN_WITHIN_MS] = [2, 5_000];
/** Time for a successor to shut out whoever was before it, and to send. */
const SETTLED_IN_MS = 1_000;

export interface NemesisOptions {
  /** Topics whose records may be delivered twice, and which of them are of this run. */
  readonly copyable: readonly string[];
  readonly since: (record: Placed) => boolean;
  readonly severity: Severity;
  readonly seed: number;
}

/** A fault that came to pass, from the moment in which it met somebody until it was healed; in ms since the epoch. */
export interface Happened {
  readonly fault: Fault;
  readonly replica?: string;
  readonly from: number;
  readonly until: number;
}

/** What is known of a fault while it comes to pass. */
interface Meeting {
  replica?: string;
  from: number;
}

/** Does what the plan says, one thing at a time, each healed before the next begins. */
export class Nemesis {
  readonly happened: Happened[] = [];
  /** All that began, those included that did not come to pass as they were meant to: somebody may have felt them. */
  readonly met: Happened[] = [];
  readonly missed: Fault[] = [];
  /** What replicas did, or did not do in time, whatever happened to them. */
  readonly misdeeds: string[] = [];

  constructor(
    private readonly cluster: Cluster,
    private readonly tell: (what: Readonly<Record<string, unknown>>) => void,
    private readonly options: NemesisOptions,
  ) {}

  /** @param goesOn false ends it before the next fault */
  async run(faults: readonly Fault[], goesOn: () => boolean): Promise<void> {
    const waiting = faults.map((fault) => ({ fault, tries: TRIES }));
    for (let next = waiting.shift(); next !== undefined && goesOn(); next = waiting.shift()) {
      const { fault, tries } = next;
      await pause(fault.after);
      if (!goesOn()) return;
      const name = nameOf(fault);
      this.tell({ type: 'fault', f: fault.kind, fault: name, begins: true });
      const meeting: Meeting = { from: Date.now() };
      const came = await this.bring(fault, meeting);
      const met: Happened = { fault, ...meeting, until: Date.now() };
      this.met.push(met);
      if (came) {
        this.happened.push(met);
        this.tell({ type: 'fault', f: fault.kind, fault: name, healed: true, replica: meeting.replica });
        continue;
      }
      this.tell({ type: 'fault', f: fault.kind, fault: name, missed: true });
      // Nobody came by: again later, when others may.
      if (tries > 1) waiting.push({ fault: otherwise(fault), tries: tries - 1 });
      else this.missed.push(fault);
    }
  }

  /** @returns whether it came to pass */
  private async bring(fault: Fault, meeting: Meeting): Promise<boolean> {
    const { cluster } = this;
    switch (fault.kind) {
      case 'at-point':
        return this.atPoint(fault, meeting);
      case 'broker-away':
        await this.killBroker(fault.ms);
        return true;
      case 'broker-restart':
        await this.killBroker(0);
        return true;
      case 'database-restart':
        await this.restartDatabase();
        return true;
      case 'backends-terminated':
        return (await cluster.databases.terminateOthers()) > 0;
      case 'delivered-twice':
        return this.deliverTwice(fault.copies);
      case 'third-member':
        return joinThird(cluster, fault, this.options.severity.lease);
      case 'asked-to-end': {
        const replica = cluster.named((meeting.replica = `${fault.service}-${fault.replica + 1}`));
        const ending = await replica.askToEnd();
        if (ending?.wrong !== undefined) this.misdeeds.push(`${replica.name} was asked to end, and ${ending.wrong}`);
        await replica.ready(GOES_ON_AFTER_MS);
        return ending !== undefined;
      }
      case 'cut-off':
        return this.cutOff(fault, meeting);
    }
  }

  /** Without its database, a replica that had lanes must lose them in time: one that had none met nothing. */
  private async cutOff(
    { service, replica: index, from, ms }: Fault & { kind: 'cut-off' },
    meeting: Meeting,
  ): Promise<boolean> {
    const replica = this.cluster.named((meeting.replica = `${service}-${index + 1}`));
    const table = service === 'partner-sharing' ? 'feed_lanes' : 'outbox_lanes';
    // Whoever is to have its lanes next may be starting yet.
    const ready = await Promise.all(this.cluster.replicasOf(service).map((each) => each.ready()));
    if (ready.includes(false)) return false;
    meeting.from = Date.now();
    const heal = replica.cutOff(from);
    const [isTaken] = await Promise.all([
      from === 'broker' || this.untilTakenOver(replica.name, service, table),
      pause(ms),
    ]);
    heal();
    return isTaken;
  }

  private async killBroker(ms: number): Promise<void> {
    const { stack } = this.cluster;
    await (stack.parts.kafka as Part).kill();
    await pause(ms);
    await stack.restart('kafka');
  }

  private async atPoint(fault: Fault & { kind: 'at-point' }, meeting: Meeting): Promise<boolean> {
    const among = this.cluster.replicasOf(fault.service).map(({ name }) => name);
    const caught = await this.cluster.traps.catch(fault.point, among, {
      letPass: fault.letPass,
      within: CATCH_WITHIN_MS,
    });
    if (caught === undefined) return false;
    meeting.replica = caught.replica;
    meeting.from = Date.now();
    this.tell({ type: 'caught', point: fault.point, replica: caught.replica });
    return this.actOn(caught, fault);
  }

  /** @returns whether it met a process, and came to pass as it was meant to */
  private async actOn(caught: Caught, fault: Fault & { kind: 'at-point' }): Promise<boolean> {
    const { action, point, service, ms, afterwards } = fault;
    const { replica: name, pipe } = caught;
    const replica = this.cluster.named(name);
    switch (action) {
      case 'kill': {
        const met = replica.kill();
        pipe.link.cut();
        await replica.ready(GOES_ON_AFTER_MS);
        const table = lanesAt(point);
        if (met && table !== undefined && (await this.areOthersReady(name, service)))
          await this.untilTakenOver(name, service, table);
        return met;
      }
      case 'pause': {
        const met = replica.signal('SIGSTOP');
        if (!afterwards) pipe.letGo();
        await pause(ms);
        replica.signal('SIGCONT');
        if (afterwards) pipe.letGo();
        return met;
      }
      case 'cut':
        pipe.link.cut();
        return true;
      case 'delay':
        await pause(ms);
        pipe.letGo();
        return true;
      case 'half-open':
        pipe.link.freeze();
        await pause(ms);
        if (ms > LONGEST_WAIT_MS && !pipe.link.isGivenUp)
          this.misdeeds.push(`${name} still has a connection that was silent for ${ms} ms, at ${fault.point}`);
        pipe.link.cut();
        return true;
      case 'kill-and-arrive-late':
        return this.killAndArriveLate(caught, fault);
    }
  }

  private async killAndArriveLate(
    { replica: name, pipe }: Caught,
    { point, service, ms, afterwards }: Fault & { kind: 'at-point' },
  ): Promise<boolean> {
    const replica = this.cluster.named(name);
    pipe.link.outlive();
    const met = replica.kill();
    const table = lanesAt(point);
    let isLate = true;
    if (table === undefined) await Promise.all([pause(ms), replica.ready(GOES_ON_AFTER_MS)]);
    else isLate = await this.untilTakenOver(name, service, table);
    if (afterwards) await pause(SETTLED_IN_MS);
    pipe.link.arrive();
    await replica.ready(GOES_ON_AFTER_MS);
    return met && isLate;
  }

  /** Whoever is to have its lanes may be starting yet. */
  private async areOthersReady(name: string, service: Service): Promise<boolean> {
    const others = this.cluster.replicasOf(service).filter((each) => each.name !== name);
    return !(await Promise.all(others.map((each) => each.ready()))).includes(false);
  }

  /** Waits until whatever a silent process had of these lanes is another's. @returns whether it had any */
  private async untilTakenOver(name: string, service: Service, table: LaneTable): Promise<boolean> {
    const { databases } = this.cluster;
    const look = () => leasesOf(databases, service, table);
    const before = await look();
    const within = TAKEN_WITHIN_LEASES * this.options.severity.lease + TAKEN_WITHIN_MS;
    const deadline = Date.now() + within;
    let succession = successionIn(before, await look());
    while (succession !== 'taken' && Date.now() < deadline) {
      await pause(POLL_MS);
      succession = successionIn(before, await look());
    }
    if (succession === 'waits') this.misdeeds.push(`nobody took over from ${name} in ${table} within ${within} ms`);
    return succession !== 'none';
  }

  private async restartDatabase(): Promise<void> {
    const part = this.cluster.stack.parts.postgres as Part;
    if (part.pid !== undefined) process.kill(part.pid, 'SIGQUIT');
    await part.ended;
    await this.cluster.stack.restart('postgres');
  }

  /** @returns whether there was something to copy on each topic */
  private async deliverTwice(copies: number): Promise<boolean> {
    const { copyable, since, seed } = this.options;
    const random = new Random('copies', seed, this.happened.length);
    const copied = await deliverTwice(this.cluster, copyable, since, copies, random);
    return copied.every((ofTopic) => ofTopic > 0);
  }
}

/** As it is tried again where nobody came by, or the replica had nothing to lose. */
function otherwise(fault: Fault): Fault {
  switch (fault.kind) {
    case 'at-point':
      return { ...fault, letPass: 0 };
    case 'cut-off':
      return { ...fault, replica: fault.replica === 0 ? 1 : 0 };
    default:
      return fault;
  }
}
