import { createRequire } from 'node:module';
import { setTimeout } from 'node:timers/promises';

/** From one fetch to the next, after one that brought something: what comes within it is fetched, and handled, together. */
const GATHER_MS = 3;
/** Messages of one fetch from which on more is waiting than comes in just now. */
const MANY = 100;

/** As much of kafkajs's as is used here. */
interface Batch {
  /** All that came, also what nobody is given. */
  readonly rawMessages: readonly unknown[];
}

const require = createRequire(import.meta.url);
const ConsumerGroup = require('kafkajs/src/consumer/consumerGroup.js') as {
  prototype: { fetch: (this: object, nodeId: number) => Promise<Batch[]> };
};

/** By the member and the broker that is asked: when the next fetch is due. */
const due = new WeakMap<object, Map<number, number>>();

const { fetch } = ConsumerGroup.prototype;
/**
 * kafkajs 2.2.4 fetches again as soon as all is handled: at a steady rate once for every message or two, which is most of what
 * a reader and its broker do. And it hands on a batch for each partition that it asked for, with nothing in most of them:
 * each goes through its queue and to its workers, and the table of partitions at work, which is old, is made anew as it
 * fills and empties (ADR 0036).
 */
ConsumerGroup.prototype.fetch = async function (nodeId) {
  const dueOf = due.get(this) ?? new Map<number, number>();
  due.set(this, dueOf);
  const wait = (dueOf.get(nodeId) ?? 0) - performance.now();
  if (wait > 0) await setTimeout(wait);
  const asked = performance.now();
  const batches = (await fetch.call(this, nodeId)).filter(({ rawMessages }) => rawMessages.length > 0);
  const brought = batches.reduce((sum, { rawMessages }) => sum + rawMessages.length, 0);
  dueOf.set(nodeId, brought > 0 && brought < MANY ? asked + GATHER_MS : 0);
  return batches;
};
