import { randomUUID } from 'node:crypto';
import { defineTopic } from '@castiron/contracts';
import { eventually } from '@castiron/testing';
import { afterAll, expect, inject, it, vi } from 'vitest';
import { connect, type Consumer } from './index.js';

const principal = inject('stack').kafka.principals['admin'];
if (principal === undefined) throw new Error('the stack has no admin');
const kafka = connect({ brokers: [inject('stack').kafka.bootstrap], clientId: 'spec', ...principal });
const producer = kafka.producer();
let consumer: Consumer;

afterAll(async () => {
  await consumer.stop();
  await producer.close();
});

/** How long it is watched. */
const WINDOW_MS = 3_000;

it('a client with nothing to do arms no timer for what is past, and uses next to no processor', async () => {
  const topic = defineTopic({ name: `spec.${randomUUID()}.v1`, kind: 'events', partitions: 1 });
  const admin = kafka.admin();
  await admin.createTopics([topic]);
  await admin.close();
  const timers = vi.spyOn(globalThis, 'setTimeout');
  let received = 0;
  consumer = kafka.consumer({
    groupId: `spec-${randomUUID()}`,
    topics: [topic.name],
    onBatch: ({ messages }) => Promise.resolve(void (received += [...messages].length)),
    onCrash: () => undefined,
  });
  await consumer.start();
  await producer.send([{ topic: topic.name, key: 'k', value: 'v', headers: {} }]);
  await eventually(() => expect(received).toBe(1), { within: 20_000 });
  const [cpu, from] = [process.cpuUsage(), performance.now()];
  await eventually(() => performance.now() - from >= WINDOW_MS);
  const { user, system } = process.cpuUsage(cpu);
  const delays = timers.mock.calls.map(([, delay]) => delay ?? 0);
  vi.restoreAllMocks();
  expect(delays.length).toBeGreaterThan(0);
  expect(delays.filter((delay) => delay < 0)).toEqual([]);
  // Of one core; most of it is this spec, which looks at the clock.
  expect((user + system) / 1000 / WINDOW_MS).toBeLessThan(0.1);
});
