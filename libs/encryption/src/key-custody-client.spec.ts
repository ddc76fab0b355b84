import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Retryable } from '@castiron/failures';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KeyCustodyClient, newKey } from './index.js';

/** A stand-in for the far end of the wire: it gives a key to everyone but `unknown`. */
let server: Server;
let calls: string[][];
let status: number;
let beforeAnswer: () => void;
let client: KeyCustodyClient;

beforeEach(async () => {
  calls = [];
  status = 200;
  beforeAnswer = () => {};
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { customers } = JSON.parse(Buffer.concat(chunks).toString()) as { customers: string[] };
      calls.push(customers);
      const key = newKey().toString('base64');
      const keys = customers
        .filter((id) => id !== 'unknown')
        .map((customer) => ({ customer, dataKey: key, ledgerKey: key }));
      beforeAnswer();
      response.writeHead(request.headers.authorization === 'Bearer t' ? status : 403).end(JSON.stringify({ keys }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  client = new KeyCustodyClient({ url, token: () => Promise.resolve('t') });
});

afterEach(async () => {
  vi.useRealTimers();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe('key custody', () => {
  it('is asked once for what is still held, and in batches of 1000', async () => {
    const customers = Array.from({ length: 2500 }, (_, at) => `customer-${at}`);
    expect((await client.keysOf([...customers, 'customer-0', 'unknown'])).size).toBe(2500);
    expect(calls.map((call) => call.length)).toEqual([1000, 1000, 501]);
    await client.keysOf(customers);
    expect(calls).toHaveLength(3);
  });

  it('is asked again after 60 seconds', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await client.keysOf(['a']);
    vi.advanceTimersByTime(60_000);
    await client.keysOf(['a']);
    expect(calls).toEqual([['a'], ['a']]);
  });

  it('is asked again after a customer was forgotten', async () => {
    await client.keysOf(['a', 'b']);
    client.forget('a');
    await client.keysOf(['a', 'b']);
    expect(calls).toEqual([['a', 'b'], ['a']]);
  });

  it('does not bring back a customer forgotten while it was asked', async () => {
    beforeAnswer = () => client.forget('a');
    expect([...(await client.keysOf(['a', 'b'])).keys()]).toEqual(['b']);
    beforeAnswer = () => {};
    await client.keysOf(['a', 'b']);
    expect(calls.at(-1)).toEqual(['a']);
  });

  it('may be away for a while', async () => {
    status = 403;
    await expect(client.keysOf(['a'])).rejects.not.toBeInstanceOf(Retryable);
    status = 503;
    await expect(client.keysOf(['a'])).rejects.toBeInstanceOf(Retryable);
  });

  it('may be cut off', async () => {
    server.closeAllConnections();
    server.close();
    await expect(client.keysOf(['a'])).rejects.toBeInstanceOf(Retryable);
  });

  it('is left alone for a little where it was away: whoever asks waits for no answer', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    status = 503;
    for (let n = 0; n < 3; n += 1) await expect(client.keysOf(['a'])).rejects.toBeInstanceOf(Retryable);
    expect(calls).toHaveLength(1);
    status = 200;
    vi.advanceTimersByTime(3_000);
    expect((await client.keysOf(['a'])).size).toBe(1);
  });
});
