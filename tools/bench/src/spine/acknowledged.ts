import type { Kafka } from '@castiron/kafka';

/** The same broker; tells of each send that was acknowledged. */
export const tellingOfSends = (kafka: Kafka, acknowledged: (events: number) => void): Kafka => ({
  ...kafka,
  producer: () => {
    const producer = kafka.producer();
    return {
      async send(messages) {
        await producer.send(messages);
        acknowledged(messages.length);
      },
      close: () => producer.close(),
    };
  },
});
