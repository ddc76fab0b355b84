import { createRequire } from 'node:module';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { Encoder } from './encoder.js';
import './produce-request.js';

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
  protocol: (chosen: { version: number }) => (produce: object) => { request: Request };
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

it('takes no more memory than the request and the room before it', async () => {
  const value = 'v'.repeat(1_000_000);
  const { request } = protocol({ version: VERSION })({
    ...one,
    topicData: [{ topic: 't', partitions: [{ partition: 0, messages: [{ value }] }] }],
  });
  const { buf } = await createRequest({ correlationId: 1, clientId: 'client', request });
  expect(buf.buffer.byteLength).toBeLessThan(value.length + 2_048);
});
