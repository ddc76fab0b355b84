import { AsyncLocalStorage } from 'node:async_hooks';
import { createRequire } from 'node:module';
import type { Producer as KafkaJsProducer } from 'kafkajs';

interface ProducerId {
  readonly producerId: string;
  readonly producerEpoch: number;
}
interface Request {
  readonly transactionalId?: string;
}
type InitProducerId = (this: unknown, request: Request) => Promise<ProducerId>;

interface Connecting {
  readonly producer: KafkaJsProducer;
  given?: ProducerId;
}

/** Which producer is connecting: kafkajs asks for its id far below the call. */
const connecting = new AsyncLocalStorage<Connecting>();

const Broker = createRequire(import.meta.url)('kafkajs/src/broker/index.js') as {
  prototype: { initProducerId: InitProducerId };
};
const { initProducerId } = Broker.prototype;
Broker.prototype.initProducerId = async function (request) {
  const it = connecting.getStore();
  if (it === undefined) return initProducerId.call(this, request);
  if (request.transactionalId !== undefined) return (it.given = await initProducerId.call(this, request));
  // Where kafkajs asks for an id that nobody else knows: it gets the one of its transactional id, which it finds and asks
  // for itself when a transaction begins. Nothing is sent in that transaction.
  await it.producer.transaction();
  if (it.given === undefined) throw new Error('kafkajs began a transaction without asking for a producer id');
  return it.given;
};

/**
 * Connects a producer of kafkajs, made with a `transactionalId`, that sends plain idempotent records under the producer
 * id and epoch of that name. The coordinator raises the epoch each time, so once a partition has a record of this
 * producer it refuses what former ones under the name still have under way; and nobody pays for transactions.
 */
export const connectFenced = (producer: KafkaJsProducer): Promise<void> =>
  connecting.run({ producer }, () => producer.connect());
