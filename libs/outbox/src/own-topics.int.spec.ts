import { randomUUID } from 'node:crypto';
import { eventually, freshDatabase } from '@castiron/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { outboxMigrations, OwnTopics } from './index.js';
import { RelayRig, upTo } from './testing/relay.rig.js';

/** A database, its relay, and the topic that it alone writes to. */
class Life {
  constructor(
    readonly rig: RelayRig,
    readonly topic: string,
    private readonly contract: Awaited<ReturnType<RelayRig['newEvent']>>['contract'],
  ) {}

  get topics(): OwnTopics {
    const { dataSource, kafka } = this.rig;
    return new OwnTopics({ dataSource, kafka, topics: [this.topic], group: `spec-${randomUUID()}.` });
  }

  async publish(numbers: readonly number[], expected = numbers.length): Promise<void> {
    const relay = this.rig.relay();
    await relay.start();
    for (const n of numbers) await this.rig.publish(this.contract, this.topic, { key: `k${n % 3}`, n });
    await eventually(async () => {
      const received = await this.rig.received(this.topic);
      expect([...received.values()].flat()).toHaveLength(expected);
    });
    await this.rig.stopRelays();
  }

  /** What stands behind the marks, by its number, and whether it is known. */
  async read(): Promise<[n: number, isKnown: boolean][]> {
    const { topics } = this;
    const found: [number, boolean][] = [];
    for await (const { value, isKnown } of topics.read(await topics.now()))
      found.push([(JSON.parse(String(value)) as { n: number }).n, isKnown]);
    return found.sort(([a], [b]) => a - b);
  }

  async mark(): Promise<boolean> {
    const { topics } = this;
    return topics.mark(await topics.now());
  }
}

let rigs: RelayRig[] = [];
let life: Life;
beforeEach(async () => {
  const rig = new RelayRig(await freshDatabase(outboxMigrations));
  rigs = [rig];
  const { contract, topic } = await rig.newEvent();
  life = new Life(rig, topic, contract);
});
afterEach(async () => {
  for (const rig of rigs) await rig.close();
});

/** The database as it is now, in another one: rows as they are, and where the sequence stands. */
async function backedUp(): Promise<Life> {
  const { dataSource } = life.rig;
  const copy = await freshDatabase(outboxMigrations);
  for (const table of ['outbox', 'outbox_lanes', 'outbox_marks']) {
    const rows = await dataSource.query<{ row: string }[]>(`SELECT t::text AS row FROM ${table} t`);
    await copy.query(`DELETE FROM ${table}`);
    await copy.query(`INSERT INTO ${table} SELECT (one::${table}).* FROM unnest($1::text[]) AS one`, [
      rows.map(({ row }) => row),
    ]);
  }
  const [sequence] = await dataSource.query<{ last_value: string }[]>('SELECT last_value FROM outbox_id');
  await copy.query(`SELECT setval('outbox_id', $1::bigint)`, [sequence?.last_value]);
  const rig = new RelayRig(copy);
  rigs.push(rig);
  return new Life(rig, life.topic, life['contract']);
}

describe('the topics that an outbox alone writes to', () => {
  it('hold nothing unknown to the database that wrote it, and nothing behind a mark', async () => {
    expect(await life.mark()).toBe(true);
    await life.publish(upTo(5));
    expect(await life.read()).toEqual(upTo(5).map((n) => [n, true]));
    expect(await life.mark()).toBe(true);
    expect(await life.read()).toEqual([]);
  });

  it('hold what a restored database has lost', async () => {
    await life.publish(upTo(3));
    await life.mark();
    await life.publish([4, 5], 5);
    const restored = await backedUp();
    await life.publish([6, 7], 7);
    expect(await restored.read()).toEqual([
      [4, true],
      [5, true],
      [6, false],
      [7, false],
    ]);
  });

  it('hold it also where the restored database has given out the same ids since', async () => {
    await life.publish(upTo(3));
    await life.mark();
    const restored = await backedUp();
    await life.publish([4, 5], 5);
    await restored.publish([6, 7, 8], 8);
    expect(await restored.read()).toEqual([
      [4, false],
      [5, false],
      [6, true],
      [7, true],
      [8, true],
    ]);
    expect(await life.read()).toEqual([4, 5, 6, 7, 8].map((n) => [n, n < 6]));
  });

  it('of a new database hold what another one wrote', async () => {
    await life.publish(upTo(3));
    const rig = new RelayRig(await freshDatabase(outboxMigrations));
    rigs.push(rig);
    expect(await new Life(rig, life.topic, life['contract']).read()).toEqual(upTo(3).map((n) => [n, false]));
  });

  it('are not marked in a database that took the place of the one that was asked', async () => {
    await life.publish(upTo(3));
    const mark = await life.topics.now();
    const restored = await backedUp();
    expect(await restored.topics.mark(mark)).toBe(false);
    expect(await restored.read()).not.toEqual([]);
  });

  it('have what was sent kept in the outbox until it is marked', async () => {
    await life.mark();
    await life.publish(upTo(3));
    const { dataSource } = life.rig;
    await dataSource.query(`UPDATE outbox SET created_at = now() - interval '2 hours'`);
    const keep = async (): Promise<void> => {
      const relay = life.rig.relay({ maintenanceMs: 50 });
      await relay.start();
      // Looked after more than once, and never in vain: a partition is made ahead of each that is dropped.
      await eventually(async () => expect(await life.rig.received(life.topic)).toBeDefined());
      await life.rig.stopRelays();
    };
    await keep();
    expect(await life.read()).toEqual(upTo(3).map((n) => [n, true]));
    await life.mark();
    await eventually(async () => {
      await keep();
      await life.mark();
      const rows = await dataSource.query<unknown[]>('SELECT FROM outbox');
      expect(rows).toEqual([]);
    });
  });

  it('are written to behind what a lost life wrote, once ids go on behind its own', async () => {
    await life.topics.goOnAfter(2_000_000n);
    await life.publish([1]);
    const [row] = await life.rig.dataSource.query<{ id: string }[]>('SELECT id FROM outbox');
    expect(row?.id).toBe('2000001');
    await life.topics.goOnAfter(5n);
    await life.publish([2], 2);
  });
});
