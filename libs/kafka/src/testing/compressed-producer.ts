import kafkajs from 'kafkajs';
import type { WireMessage } from '@castiron/contracts';
import type { KafkaSettings } from '../types.js';

const BLOCK = 65_536;
/** Magic number; version 1 with independent blocks and no checksums; blocks of 64 KiB; checksum of these two bytes. */
const LZ4_HEADER = Buffer.from('04224d18604082', 'hex');
const LZ4_END = Buffer.alloc(4);

/** An LZ4 frame whose blocks are stored as they are: all that is needed to be read as LZ4. */
function lz4Frame(bytes: Buffer): Buffer {
  const parts: Buffer[] = [LZ4_HEADER];
  for (let at = 0; at < bytes.length; at += BLOCK) {
    const block = bytes.subarray(at, at + BLOCK);
    const size = Buffer.alloc(4);
    // The highest bit says that the block is not compressed.
    size.writeUInt32LE((block.length | 0x8000_0000) >>> 0);
    parts.push(size, block);
  }
  return Buffer.concat([...parts, LZ4_END]);
}

/** Longer keys go to the first partition. */
const LONG_KEY = 1_024;

/** As without it, the product's client, which may share this process, cannot read LZ4. */
kafkajs.CompressionCodecs[kafkajs.CompressionTypes.LZ4] = () => ({
  compress: ({ buffer }: { buffer: Buffer }) => Promise.resolve(lz4Frame(buffer)),
  decompress: () => Promise.reject(new Error('LZ4 cannot be read here')),
});

/** What the product's own producer never sends and anybody with the right to write may: compressed, keyless, of any size. */
export async function sendCompressed(
  settings: KafkaSettings,
  codec: 'gzip' | 'lz4',
  messages: readonly (Omit<WireMessage, 'key' | 'value'> & {
    readonly key: Buffer | string | null;
    readonly value: Buffer | string | null;
  })[],
): Promise<void> {
  const client = new kafkajs.Kafka({
    brokers: [...settings.brokers],
    clientId: settings.clientId,
    sasl: { mechanism: 'scram-sha-512', username: settings.username, password: settings.password },
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  try {
    await producer.sendBatch({
      compression: codec === 'gzip' ? kafkajs.CompressionTypes.GZIP : kafkajs.CompressionTypes.LZ4,
      // kafkajs hashes a key so slowly that one of a megabyte takes minutes.
      topicMessages: messages.map(({ topic, ...message }) => ({
        topic,
        messages: [{ ...message, ...((message.key?.length ?? 0) > LONG_KEY && { partition: 0 }) }],
      })),
    });
  } finally {
    await producer.disconnect();
  }
}
