import type { Kafka } from '@castiron/kafka';

/** The same broker; tells of each send that was acknowledged. */
export const tellingOfSends = (kafka: Kafka, acknowledged: (events: number) => void): Kafka => ({
  ...kafka,
  fencedProducer: (transactionalId) => {
    const producer = kafka.fencedProducer(transactionalId);
    return {
      open: () => producer.open(),
      async send(messages) {
        await producer.send(messages);
        acknowledged(messages.length);
      },
      close: () => producer.close(),
    };
  },
});
