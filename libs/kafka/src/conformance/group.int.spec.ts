import { randomUUID } from 'node:crypto';
import { eventually } from '@castiron/testing';
import { afterAll, afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import type { IncomingBatch } from '../index.js';
import { ConformanceRig, message } from '../testing/conformance.rig.js';
import { Valve } from '../testing/valve.js';

const rig = new ConformanceRig(inject('stack').kafka, inject('kafkaClient'));
afterAll(() => rig.close());

const PARTITIONS = 6;
const LEASE_MS = 1_000;
const newGroup = () => `spec-${randomUUID()}`;

/** What the members of a group did together. */
class Ledger {
  /** Partition by partition, in the order in which the messages came first. */
  readonly read = new Map<number, Set<string>>();
  /** Of each member, how many messages. */
  readonly shares = new Map<string, number>();
  /** Of each member, which partitions, and the last round that it got something of. */
  readonly partitions = new Map<string, Set<number>>();
  readonly rounds = new Map<string, number>();
  /** Batches of a partition that came while another member was at work on it. */
  overlaps = 0;
  private readonly atWork = new Map<number, IncomingBatch>();

  member =
    (name: string, work: () => Promise<unknown> = () => rig.admin.topicNames()) =>
    async (batch: IncomingBatch): Promise<void> => {
      const { partition, messages } = batch;
      if (this.atWork.get(partition)?.isStale() === false) this.overlaps += 1;
      this.atWork.set(partition, batch);
      const read = this.read.get(partition) ?? new Set();
      this.read.set(partition, read);
      for (const { value } of messages) read.add(String(value));
      this.shares.set(name, (this.shares.get(name) ?? 0) + [...messages].length);
      this.partitions.set(name, (this.partitions.get(name) ?? new Set()).add(partition));
      const rounds = [...messages].map(({ value }) => Number.parseInt(String(value), 10));
      this.rounds.set(name, Math.max(this.rounds.get(name) ?? 0, ...rounds));
      await work();
      if (this.atWork.get(partition) === batch) this.atWork.delete(partition);
    };

  of = (name: string): number => this.shares.get(name) ?? 0;

  /** How many messages have come to any of them. */
  total = (): number => [...this.read.values()].reduce((sum, { size }) => sum + size, 0);
}

/** Writes to all partitions, and goes on until it is told to stop. */
async function writing(topic: string): Promise<{ stop(): Promise<string[]> }> {
  const sent: string[] = [];
  let on = true;
  const producer = rig.kafka.producer();
  const write = async (round: number): Promise<void> => {
    const batch = Array.from({ length: 4 * PARTITIONS }, (_, n) => message(topic, `k${n}`, `${round}-${n}`));
    await producer.send(batch);
    sent.push(...batch.map(({ value }) => String(value)));
  };
  await write(0);
  const done = (async () => {
    for (let round = 1; on; round += 1) await write(round);
    await producer.close();
  })();
  return {
    stop: async () => {
      on = false;
      await done;
      return sent;
    },
  };
}

/** Nothing is missing, and what a partition got came in the order in which it was sent. */
function expectEverything(ledger: Ledger, sent: readonly string[]): void {
  const positions = new Map(sent.map((value, at) => [value, at]));
  expect(new Set([...ledger.read.values()].flatMap((values) => [...values])).size).toBe(sent.length);
  for (const values of ledger.read.values()) {
    const order = [...values].map((value) => positions.get(value) ?? -1);
    expect(order).toEqual([...order].sort((a, b) => a - b));
  }
}

describe('a group of consumers', () => {
  it('shares the partitions, skips nothing, and has no partition read by two, while members come and go', async () => {
    const topic = await rig.newTopic({ partitions: PARTITIONS });
    const groupId = newGroup();
    const ledger = new Ledger();
    const writer = await writing(topic);
    const first = await rig.consume({ topic, groupId, onBatch: ledger.member('first') });
    await eventually(() => ledger.of('first') > 0, { within: 15_000 });
    await rig.consume({ topic, groupId, onBatch: ledger.member('second') });
    await eventually(() => ledger.of('second') > 0, { within: 15_000 });
    const before = ledger.of('first');
    await eventually(() => ledger.of('first') > before, { within: 15_000 });
    await first.stop();
    const sent = await writer.stop();
    await eventually(() => expect(ledger.total()).toBe(sent.length), { within: 15_000 });
    expectEverything(ledger, sent);
    expect(ledger.overlaps).toBe(0);
  });

  it('leaves a partition to the member that works on it for longer than a session lasts', async () => {
    const topic = await rig.newTopic();
    const groupId = newGroup();
    await rig.send(message(topic, 'k', '1'));
    const ledger = new Ledger();
    let end = (): void => undefined;
    const working = new Promise<void>((resolve) => (end = resolve));
    await rig.consume({ topic, groupId, onBatch: ledger.member('slow', () => working) }, { leaseMs: LEASE_MS });
    await eventually(() => ledger.of('slow') === 1, { within: 15_000 });
    const member = await rig.memberOf(groupId);
    const until = performance.now() + 3 * LEASE_MS;
    await eventually(() => performance.now() > until);
    expect(await rig.memberOf(groupId)).toBe(member);
    end();
    await eventually(async () => expect(await rig.committed(groupId, topic)).toBe(1));
    expect(ledger.of('slow')).toBe(1);
  });
});

describe('a group with a member that falls silent', () => {
  let valve: Valve;
  beforeEach(async () => {
    valve = await Valve.open(inject('stack').kafka.bootstrap);
  });
  afterEach(() => valve.close());

  it('has its partitions read by the others, and by it again once it is back', async () => {
    const topic = await rig.newTopic({ partitions: PARTITIONS });
    const groupId = newGroup();
    const ledger = new Ledger();
    const crashes: string[] = [];
    const consume = (name: string) =>
      rig.consume(
        { topic, groupId, onBatch: ledger.member(name), onCrash: ({ message: why }) => crashes.push(why) },
        { leaseMs: LEASE_MS },
      );
    const writer = await writing(topic);
    valve.through = true;
    const silent = await consume('silent');
    await eventually(() => ledger.of('silent') > 0, { within: 15_000 });
    valve.through = false;
    await consume('other');
    await eventually(() => ledger.of('other') > 0, { within: 15_000 });
    valve.state = 'frozen';
    await eventually(() => ledger.partitions.get('other')?.size === PARTITIONS, { within: 12_000 });
    const round = ledger.rounds.get('other') ?? 0;
    valve.state = 'open';
    // It is back with what was sent since, or says that it never will be: then its process ends and another takes its place.
    await eventually(() => (ledger.rounds.get('silent') ?? 0) > round + 1 || crashes.length > 0, { within: 20_000 });
    if (crashes.length > 0) await silent.stop();
    const sent = await writer.stop();
    await eventually(() => expect(ledger.total()).toBe(sent.length), { within: 15_000 });
    expectEverything(ledger, sent);
  });
});
