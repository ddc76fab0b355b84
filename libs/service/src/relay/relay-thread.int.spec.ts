import { randomUUID } from 'node:crypto';
import type { Worker } from 'node:worker_threads';
import { defineEvent, defineTopic } from '@castiron/contracts';
import { connect, readAll } from '@castiron/kafka';
import { createMetrics } from '@castiron/observability';
import { outboxMigrations } from '@castiron/outbox';
import { eventually, freshDatabase } from '@castiron/testing';
import { outboxKey, Transactions } from '@castiron/transactions';
import { Type } from 'typebox';
import type { DataSource } from 'typeorm';
import { afterEach, beforeEach, expect, inject, it, vi } from 'vitest';
import { RelayThread, type RelaySettings } from './relay-thread.js';

const { bootstrap, principals } = inject('stack').kafka;
const { username = '', password = '' } = principals['admin'] ?? {};
const kafka = connect({ brokers: [bootstrap], clientId: 'spec', username, password });

let dataSource: DataSource;
let relay: RelayThread;
const metrics = () => createMetrics('spec');

function relayOf(databaseUrl: string, counts = metrics(), more: Partial<RelaySettings> = {}): RelayThread {
  return new RelayThread(
    {
      name: `spec-${randomUUID()}`,
      logLevel: 'silent',
      databaseUrl,
      kafkaBrokers: [bootstrap],
      kafkaUsername: username,
      kafkaPassword: password,
      kafkaSsl: false,
      leaseMs: 60_000,
      ...more,
    },
    counts,
  );
}

beforeEach(async () => {
  dataSource = await freshDatabase(outboxMigrations);
});
afterEach(async () => {
  await relay.stop();
  await dataSource.destroy();
});

const address = (): string => {
  const { options } = dataSource;
  if (options.type !== 'postgres' || options.url === undefined) throw new TypeError('a database without an address');
  return options.url;
};

/** Commits events of one key on a topic of its own. */
async function newPublisher(): Promise<{ topic: string; publish: (n: number) => Promise<void> }> {
  const topic = `spec.${randomUUID()}.v1`;
  const made = defineTopic({ name: topic, kind: 'events' });
  const contract = defineEvent({
    type: 'spec.counted.v1',
    topic: made,
    producer: 'notifications',
    classification: 'internal',
    personal: false,
    schema: Type.Object({ n: Type.Integer() }),
    key: () => 'one',
    example: { n: 1 },
  });
  const admin = kafka.admin();
  await admin.createTopics([made]);
  await admin.close();
  const transactions = new Transactions(dataSource, relay, { contract });
  const publish = (n: number) => transactions.run([outboxKey(topic, 'one')], async (tx) => tx.publish(contract, { n }));
  return { topic, publish };
}

it('sends what is committed, and counts it', async () => {
  const counts = metrics();
  relay = relayOf(address(), counts);
  await relay.start(() => undefined);
  const { topic, publish } = await newPublisher();
  for (const n of [1, 2, 3]) await publish(n);
  await eventually(async () => expect(relay.sent).toBe(3));
  const received: unknown[] = [];
  for await (const { value } of readAll(kafka, topic)) received.push(JSON.parse(String(value)));
  expect(received).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  expect(await counts.registry.metrics()).toMatch(/^castiron_outbox_sent_total\{[^}]*\} 3$/m);
});

it('sends each event because it is told of it, and not by looking by itself', async () => {
  relay = relayOf(address(), metrics(), { leaseMs: 100_000_000, pollMs: 100_000_000 });
  await relay.start(() => undefined);
  const { publish } = await newPublisher();
  for (const n of [1, 2, 3, 4, 5]) {
    await publish(n);
    await eventually(() => expect(relay.sent).toBe(n));
  }
});

it('is told of news, also where there was some before it was started', async () => {
  relay = relayOf(address());
  relay.wake();
  await relay.start(() => undefined);
  const told = vi.spyOn((relay as unknown as { worker: Worker }).worker, 'postMessage');
  relay.wake();
  expect(told).toHaveBeenCalledExactlyOnceWith('wake');
});

it('lets go of its lanes when it is stopped, and ends', async () => {
  relay = relayOf(address());
  const crashed = vi.fn();
  await relay.start(crashed);
  const held = async () =>
    (await dataSource.query<object[]>(`SELECT FROM outbox_lanes WHERE lease_until > now()`)).length;
  await eventually(async () => expect(await held()).toBeGreaterThan(0));
  await relay.stop();
  expect(await held()).toBe(0);
  await relay.stop();
  expect(crashed).not.toHaveBeenCalled();
});

it('tells of an end that nobody asked for', async () => {
  relay = relayOf(address());
  const crashed = vi.fn();
  await relay.start(crashed);
  await (relay as unknown as { worker: Worker }).worker.terminate();
  expect(crashed).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ message: 'the relay ended' }));
});

it('does not start without its database', async () => {
  relay = relayOf('postgres://nobody@127.0.0.1:1/nowhere');
  await expect(relay.start(() => undefined)).rejects.toThrow('ECONNREFUSED');
});
