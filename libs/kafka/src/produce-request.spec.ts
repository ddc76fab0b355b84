import { createRequire } from 'node:module';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Encoder } from './encoder.js';
import './produce-request.js';
import { RecordEncoder, type Encodable } from './record-encoder.js';

const require = createRequire(import.meta.url);

interface Request {
  readonly apiKey: number;
  readonly apiVersion: number;
  encode(): Promise<Encoder>;
}
const createRequest = require('kafkajs/src/protocol/request.js') as (given: {
  correlationId: number;
  clientId: string;
  request: Request;
}) => Promise<Encoder>;
const VERSION = 7;
/** kafkajs's own, which the definition of the request does not lead to any more. */
const theirs = require('kafkajs/src/protocol/requests/produce/v7/request.js') as (produce: object) => Request;
const { protocol } = require('kafkajs/src/protocol/requests/produce/index.js') as {
  protocol: (chosen: { version: number }) => (produce: object) => {
    request: Request;
    response: { decode: (answer: Buffer) => Promise<unknown> };
  };
};

const text = fc.string({ unit: 'binary', maxLength: 40 });
const produce = fc.record({
  acks: fc.constantFrom(-1, 0, 1),
  timeout: fc.nat(),
  transactionalId: fc.option(fc.string({ minLength: 1, maxLength: 40 }), { nil: null }),
  producerId: fc.bigInt({ min: -1n, max: 2n ** 62n }).map(String),
  producerEpoch: fc.nat({ max: 32_767 }),
  topicData: fc.array(
    fc.record({
      topic: text,
      partitions: fc.array(
        fc.record({
          partition: fc.nat(),
          firstSequence: fc.nat(),
          messages: fc.array(fc.record({ key: text, value: fc.option(text), headers: fc.dictionary(text, text) }), {
            minLength: 1,
            maxLength: 4,
          }),
        }),
        { maxLength: 3 },
      ),
    }),
    { maxLength: 3 },
  ),
});

beforeAll(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_700_000_000_000 });
});
afterAll(() => {
  vi.useRealTimers();
});

it('puts any request on the wire byte by byte as kafkajs does, whoever sends it', async () => {
  await fc.assert(
    fc.asyncProperty(produce, text, fc.nat(), async (given, clientId, correlationId) => {
      const { request } = protocol({ version: VERSION })(given);
      const ours = await createRequest({ correlationId, clientId, request });
      const expected = await createRequest({ correlationId, clientId, request: theirs(given) });
      expect(ours.buffer.equals(expected.buffer)).toBe(true);
    }),
  );
});

const one = {
  acks: -1,
  timeout: 1,
  topicData: [{ topic: 't', partitions: [{ partition: 0, messages: [{ value: 'v' }] }] }],
};

it('takes messages that are encoded already like those that are not', async () => {
  await fc.assert(
    fc.asyncProperty(produce, fc.array(fc.boolean()), async (given, which) => {
      const encoder = new RecordEncoder();
      let n = 0;
      const encoded = (message: Encodable) => (which[n++ % which.length] === true ? encoder.encode(message) : message);
      const topicData = given.topicData.map((topic) => ({
        ...topic,
        partitions: topic.partitions.map((it) => ({ ...it, messages: it.messages.map(encoded) })),
      }));
      const { request } = protocol({ version: VERSION })({ ...given, topicData });
      expect((await request.encode()).buffer.equals((await theirs(given).encode()).buffer)).toBe(true);
    }),
  );
});

it('leaves no encoded message to kafkajs, which does not know them', () => {
  const message = new RecordEncoder().encode({ key: 'k', value: 'v' });
  const given = { ...one, topicData: [{ topic: 't', partitions: [{ partition: 0, messages: [message] }] }] };
  expect(() => protocol({ version: VERSION })({ ...given, compression: 1 })).toThrow('plain batch');
  expect(() => protocol({ version: 2 })(given)).toThrow('plain batch');
});

it('copies where there is no room before it', async () => {
  const clientId = 'c'.repeat(5_000);
  const { request } = protocol({ version: VERSION })(one);
  const ours = await createRequest({ correlationId: 1, clientId, request });
  const expected = await createRequest({ correlationId: 1, clientId, request: theirs(one) });
  expect(ours.buffer.equals(expected.buffer)).toBe(true);
});

it('lets one head alone take over its memory', async () => {
  const encoded = await protocol({ version: VERSION })(one).request.encode();
  const request = { apiKey: 0, apiVersion: VERSION, encode: () => Promise.resolve(encoded) };
  const first = await createRequest({ correlationId: 1, clientId: 'first', request });
  const before = Buffer.from(first.buffer);
  await createRequest({ correlationId: 2, clientId: 'second', request });
  expect(first.buffer.equals(before)).toBe(true);
});

/** Encoded once for all, so that no memory is taken but the request's own: of a megabyte, and of some bytes more. */
const encoder = new RecordEncoder();
const [megabyte, more] = [0, 100].map((bytes) => encoder.encode({ value: 'v'.repeat(1_000_000 + bytes) }));
const large = (message = megabyte) => ({
  ...one,
  topicData: [{ topic: 't', partitions: [{ partition: 0, messages: [message] }] }],
});

it('takes hardly more memory than the request and the room before it', async () => {
  const { request } = protocol({ version: VERSION })(large());
  const { buf } = await createRequest({ correlationId: 1, clientId: 'client', request });
  expect(buf.buffer.byteLength).toBeLessThan(1_000_000 + 2_048 + 65_536);
});

describe('the memory of a request', () => {
  /** No topics, no throttling. */
  const ANSWER = Buffer.alloc(8);
  const sent = async (produce: object) => {
    const { request, response } = protocol({ version: VERSION })(produce);
    const { buf } = await createRequest({ correlationId: 1, clientId: 'client', request });
    return { memory: buf.buffer, request, answered: () => response.decode(ANSWER) };
  };

  it('serves another once it was answered, and not before', async () => {
    const first = await sent(large());
    const meanwhile = await sent(large());
    expect(meanwhile.memory).not.toBe(first.memory);
    await first.answered();
    const next = await sent(large(more));
    expect(next.memory).toBe(first.memory);
    await first.answered();
    expect((await sent(large())).memory).not.toBe(next.memory);
  });

  it('is left alone where it was written twice', async () => {
    const first = await sent(large());
    const again = await first.request.encode();
    await first.answered();
    const next = await sent(large());
    expect([first.memory, again.buf.buffer]).not.toContain(next.memory);
  });

  it('is kept for a few only', async () => {
    const many = await Promise.all(Array.from({ length: 20 }, () => sent(large())));
    for (const { answered } of many) await answered();
    const kept = await Promise.all(many.map(() => sent(large())));
    expect(kept.filter(({ memory }) => many.some((it) => it.memory === memory))).toHaveLength(8);
  });
});
