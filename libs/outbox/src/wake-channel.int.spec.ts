import { Socket } from 'node:net';
import pg from 'pg';
import { eventually, freshDatabase, openDatabaseValve, type DatabaseValve } from '@castiron/testing';
import type { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { addressOf } from './testing/address-of.js';
import { WakeChannel } from './wake-channel.js';

let dataSource: DataSource;
let valve: DatabaseValve;
let channel: WakeChannel;
let woken = 0;
let onWake: () => void;

beforeEach(async () => {
  woken = 0;
  onWake = () => void (woken += 1);
  dataSource = await freshDatabase([]);
  valve = await openDatabaseValve(addressOf(dataSource).connectionString);
  channel = new WakeChannel({ connectionString: valve.url }, () => onWake());
});
afterEach(async () => {
  vi.restoreAllMocks();
  await channel.close();
  await valve.close();
  await dataSource.destroy();
});

async function connections(): Promise<number> {
  const [row] = await dataSource.query<{ n: number }[]>(
    `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'castiron-outbox'`,
  );
  return row?.n ?? 0;
}

const isHeard = async (): Promise<void> => {
  const before = woken;
  await eventually(async () => {
    await channel.open();
    channel.notify();
    expect(woken).toBeGreaterThan(before);
  });
};

describe('the channel that wakes other processes', () => {
  it('is made anew where its connection broke', async () => {
    await isHeard();
    valve.state = 'cut';
    channel.notify();
    await eventually(async () => {
      await channel.open();
      expect(valve.turnedAway).toBeGreaterThan(0);
    });
    valve.state = 'open';
    await isHeard();
    // The server may still have to notice that the first one broke.
    await eventually(async () => expect(await connections()).toBe(1));
  });

  it('is tried once a second where it is refused, however often it is to open', async () => {
    const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
    valve.state = 'cut';
    for (let n = 0; n < 3; n += 1) await channel.open();
    expect(valve.turnedAway).toBe(1);
    clock.mockReturnValue(1_000);
    await channel.open();
    expect(valve.turnedAway).toBe(2);
  });

  it('does not pile up for who does not answer, and makes another connection', async () => {
    await isHeard();
    const asked = vi.spyOn(pg.Client.prototype, 'query');
    const connecting = vi.spyOn(pg.Client.prototype, 'connect');
    valve.state = 'silent';
    await eventually(
      async () => {
        channel.notify();
        await channel.open();
        expect(connecting).toHaveBeenCalled();
      },
      { within: 10_000 },
    );
    // One from before may have been answered.
    expect(asked.mock.calls.filter(([text]) => String(text).startsWith('NOTIFY')).length).toBeLessThan(3);
    valve.state = 'open';
    await isHeard();
  });

  it('makes another connection where nobody answers it when it begins to listen', async () => {
    valve.deafAfter = 'LISTEN';
    await channel.open();
    expect(valve.state).toBe('deaf');
    valve.state = 'open';
    await isHeard();
  });

  it('tells once in five milliseconds at most, however often it is asked', async () => {
    await isHeard();
    const heard: number[] = [];
    onWake = () => {
      heard.push(performance.now());
      for (let n = 0; n < 10; n += 1) channel.notify();
    };
    channel.notify();
    await eventually(() => expect(heard.length).toBeGreaterThan(20));
    const apart = heard.slice(1).map((at, n) => at - (heard[n] ?? 0));
    // A timer may be up to a millisecond early.
    expect(Math.min(...apart)).toBeGreaterThan(4);
  });

  it('has the system look after a connection that says nothing for long', async () => {
    const kept = vi.spyOn(Socket.prototype, 'setKeepAlive');
    await channel.open();
    // Of one that is half open nothing else is ever heard.
    expect(kept.mock.calls).toEqual([[true, 30_000]]);
  });

  it('says goodbye when it is closed, and does not open again', async () => {
    await channel.open();
    expect(await connections()).toBe(1);
    await channel.close();
    await eventually(async () => expect(await connections()).toBe(0));
    await channel.open();
    expect(await connections()).toBe(0);
  });

  it('waits a moment and no more for who does not hear its goodbye', async () => {
    await channel.open();
    valve.state = 'silent';
    const before = performance.now();
    await channel.close();
    expect(performance.now() - before).toBeLessThan(3_000);
  });
});
