// The bare side is not to suffer from the client's timers, which are mended here; all else is the client as it is.
import '@castiron/kafka/request-queue';
import net from 'node:net';
import type { KafkaSettings } from '@castiron/kafka';
import kafkajs, { type Kafka } from 'kafkajs';

export type { Message as BareMessage } from 'kafkajs';

/** The client as its own manual sets it up, and without the kernel's waiting for more to send, which it cannot be told by setting. */
export const bareClient = ({ brokers, clientId, username, password }: KafkaSettings): Kafka =>
  new kafkajs.Kafka({
    brokers: [...brokers],
    clientId,
    sasl: { mechanism: 'scram-sha-512', username, password },
    logLevel: kafkajs.logLevel.ERROR,
    socketFactory: ({ host, port, onConnect }) =>
      net.connect({ host, port, noDelay: true, keepAlive: true }, onConnect),
  });

/** kafkajs's default; named, since the client warns where it is not. */
export const createPartitioner = kafkajs.Partitioners.DefaultPartitioner;
