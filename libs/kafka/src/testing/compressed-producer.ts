import { zstdCompressSync } from 'node:zlib';
import type { WireMessage } from '@castiron/contracts';
import type { IHeaders } from 'kafkajs';
import kafkajs from '../kafkajs.js';
import type { KafkaSettings } from '../types.js';

/** Magic number; version 1 with independent blocks and no checksums; blocks of 64 KiB; checksum of these two bytes. */
const LZ4_HEADER = Buffer.from('04224d18604082', 'hex');
const LZ4_END = Buffer.alloc(4);
/** As the reference client frames it: magic number, version and lowest version that reads it, both 1. */
const SNAPPY_HEADER = Buffer.from('82534e41505059000000000100000001', 'hex');
const SNAPPY_LITERAL_OF_3_BYTES = 62 << 2;
const BLOCK = 65_536;

function* blocksOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += BLOCK) yield bytes.subarray(at, at + BLOCK);
}

function uint32(value: number, end: 'LE' | 'BE'): Buffer {
  const size = Buffer.alloc(4);
  size[`writeUInt32${end}`](value >>> 0);
  return size;
}

/** Blocks that are stored as they are: all that is needed to be read as LZ4. The highest bit of a size says so. */
function lz4Frame(bytes: Buffer): Buffer {
  const blocks = [...blocksOf(bytes)].flatMap((block) => [uint32(block.length | 0x8000_0000, 'LE'), block]);
  return Buffer.concat([LZ4_HEADER, ...blocks, LZ4_END]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}

/** The same for Snappy: each block one literal. */
function snappyFrame(bytes: Buffer): Buffer {
  const blocks = [...blocksOf(bytes)].flatMap((block) => {
    const length = uint32(block.length - 1, 'LE').subarray(0, 3);
    const packed = Buffer.concat([varint(block.length), Buffer.from([SNAPPY_LITERAL_OF_3_BYTES]), length, block]);
    return [uint32(packed.length, 'BE'), packed];
  });
  return Buffer.concat([SNAPPY_HEADER, ...blocks]);
}

const { CompressionTypes } = kafkajs;
const PACKED = {
  lz4: { type: CompressionTypes.LZ4, pack: lz4Frame },
  snappy: { type: CompressionTypes.Snappy, pack: snappyFrame },
  zstd: { type: CompressionTypes.ZSTD, pack: (bytes: Buffer) => zstdCompressSync(bytes) },
};

/** Longer keys go to the first partition. */
const LONG_KEY = 1_024;

type AnyMessage = Omit<WireMessage, 'key' | 'value' | 'headers'> & {
  readonly key: Buffer | string | null;
  readonly value: Buffer | string | null;
  readonly headers: Readonly<Record<string, string | null>>;
};

const hasEmptyHeader = ({ headers }: AnyMessage): boolean => Object.values(headers).includes(null);

/**
 * What the product's own producer never sends and anybody with the right to write may: compressed, keyless, of any
 * size. With a header of no value they are sent as they are: kafkajs packs none, and what is not packed is encoded here.
 */
export async function sendCompressed(
  settings: KafkaSettings,
  codec: 'gzip' | keyof typeof PACKED,
  messages: readonly AnyMessage[],
): Promise<void> {
  const client = new kafkajs.Kafka({
    brokers: [...settings.brokers],
    clientId: settings.clientId,
    sasl: { mechanism: 'scram-sha-512', username: settings.username, password: settings.password },
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  const packed = codec === 'gzip' ? undefined : PACKED[codec];
  const codecs = kafkajs.CompressionCodecs as Record<number, unknown>;
  const kept = packed && codecs[packed.type];
  try {
    if (packed !== undefined) {
      codecs[packed.type] = () => ({
        compress: ({ buffer }: { buffer: Buffer }) => Promise.resolve(packed.pack(buffer)),
        decompress: () => Promise.reject(new Error('nothing is read here')),
      });
    }
    await producer.sendBatch({
      compression: messages.some(hasEmptyHeader) ? CompressionTypes.None : (packed?.type ?? CompressionTypes.GZIP),
      // kafkajs hashes a key so slowly that one of a megabyte takes minutes.
      topicMessages: messages.map(({ topic, headers, ...message }) => ({
        topic,
        messages: [
          { ...message, headers: headers as IHeaders, ...((message.key?.length ?? 0) > LONG_KEY && { partition: 0 }) },
        ],
      })),
    });
  } finally {
    // All clients of this process share the codecs, and the product's is to read what it can, and no more.
    if (packed !== undefined) codecs[packed.type] = kept;
    await producer.disconnect();
  }
}
