import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Inspector } from './points.js';
import { Proxy } from './proxy.js';
import { Traps } from './traps.js';

/** Frames of one letter: C is a commit. */
const letters = (): Inspector => ({
  requestLength: (bytes) => (bytes.length > 0 ? 1 : undefined),
  answerLength: (bytes) => (bytes.length > 0 ? 1 : undefined),
  request: (frame) => (frame.toString() === 'C' ? 'before-commit' : undefined),
  answer: () => undefined,
});

let traps: Traps;
let proxy: Proxy;
let client: Socket;
let heard = '';
let ended = false;
const server = createServer((socket) => {
  socket.on('data', (bytes) => (heard += bytes.toString())).on('error', () => undefined);
  socket.on('end', () => (ended = true));
});

beforeEach(async () => {
  [heard, ended] = ['', false];
  traps = new Traps();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  proxy = await Proxy.listen({
    owner: 'a-1',
    target: () => port,
    inspect: letters,
    gate: (point, pipe) => traps.pass(point, pipe),
  });
  client = connect(proxy.port, '127.0.0.1').on('error', () => undefined);
});
afterEach(async () => {
  client.destroy();
  proxy.close();
  await new Promise((resolve) => server.close(resolve));
});

const caught = async () => {
  const trap = traps.catch('before-commit', ['a-1'], { letPass: 0, within: 5_000 });
  client.write('abCde');
  const found = await trap;
  if (found === undefined) throw new Error('nothing was caught');
  return found;
};

describe('what is caught at a point', () => {
  it('is kept back with all that follows, and goes on in order', async () => {
    const { pipe, replica } = await caught();
    await vi.waitFor(() => expect(heard).toBe('ab'));
    expect(replica).toBe('a-1');
    client.write('f');
    pipe.letGo();
    await vi.waitFor(() => expect(heard).toBe('abCdef'));
  });

  it('is lost when the connection is cut', async () => {
    const { pipe } = await caught();
    await vi.waitFor(() => expect(heard).toBe('ab'));
    pipe.link.cut();
    await vi.waitFor(() => expect(proxy.links.size).toBe(0));
    expect(heard).toBe('ab');
  });

  it('is told to neither end where the connection is half open', async () => {
    const { pipe } = await caught();
    await vi.waitFor(() => expect(heard).toBe('ab'));
    pipe.link.freeze();
    expect(pipe.link.isGivenUp).toBe(false);
    client.destroy();
    await vi.waitFor(() => expect(pipe.link.isGivenUp).toBe(true));
    expect([heard, ended]).toEqual(['ab', false]);
    pipe.link.cut();
    await vi.waitFor(() => expect(proxy.links.size).toBe(0));
  });

  it('can arrive after its sender has gone', async () => {
    const { pipe } = await caught();
    pipe.link.outlive();
    client.destroy();
    await vi.waitFor(() => expect(heard).toBe('ab'));
    pipe.link.arrive();
    await vi.waitFor(() => expect([heard, ended]).toEqual(['abCde', true]));
  });

  it('is nobody who was let pass, nor anybody of another service', async () => {
    const other = traps.catch('before-commit', ['b-1'], { letPass: 0, within: 50 });
    const third = traps.catch('before-commit', ['a-1'], { letPass: 2, within: 5_000 });
    client.write('C1C2C3');
    await third;
    await vi.waitFor(() => expect(heard).toBe('C1C2'));
    expect(await other).toBeUndefined();
  });
});

it('a replica that is cut off cannot connect', async () => {
  proxy.refuses = true;
  const refused = connect(proxy.port, '127.0.0.1').on('error', () => undefined);
  await new Promise<void>((resolve) => refused.once('close', () => resolve()));
});
