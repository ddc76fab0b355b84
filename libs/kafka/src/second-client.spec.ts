import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { partitionEnds } from './partition-ends.js';
import { readSpans } from './read-spans.js';
import { putScramUser } from './scram.js';
import type { KafkaSettings } from './types.js';

/** Takes the first bytes of a handshake and is gone. */
const server = createServer((socket: Socket) => void socket.once('data', () => socket.resetAndDestroy()));
let settings: KafkaSettings;

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  settings = { brokers: [`127.0.0.1:${port}`], clientId: 'spec', username: 'nobody', password: 'none' };
});
afterAll(() => void server.close());

describe('a broker that goes away in the middle of a handshake', () => {
  it.each([
    ['the end of a topic', () => partitionEnds(settings, 'spec.v1')],
    [
      'a piece of one',
      () => readSpans(settings, [{ topic: 'spec.v1', partition: 0, from: 0n, to: 1n }], () => undefined),
    ],
    ['a new user', () => putScramUser(settings, 'someone', 'secret')],
  ])('fails the call for %s and not the process', async (_what, call) => {
    const uncaught: unknown[] = [];
    const note = (error: unknown): void => void uncaught.push(error);
    process.on('uncaughtException', note);
    onTestFinished(() => void process.off('uncaughtException', note));
    await expect(call()).rejects.toThrow();
    expect(uncaught).toEqual([]);
  });
});
