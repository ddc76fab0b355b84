import { eventually, freshDatabase, openDatabaseValve, startFurtherPostgres } from '@castiron/testing';
import { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { outboxMigrations } from './index.js';
import { LANES } from './lanes.js';
import { addressOf } from './testing/address-of.js';
import { RelayRig, upTo } from './testing/relay.rig.js';

const TABLES = ['outbox', 'outbox_lanes', 'outbox_cluster', 'outbox_incarnation'];

let original: DataSource;
let restored: DataSource;
let further: Awaited<ReturnType<typeof startFurtherPostgres>>;
let rigs: RelayRig[] = [];
/** Of the further server; its password changes, so this stays connected. */
let admin: DataSource;

/** A database of that name on the further server, which whoever may use the original may use. */
async function placeFor({ connectionString }: { connectionString: string }): Promise<DataSource> {
  const [theirs, ours] = [new URL(connectionString), new URL(further.admin)];
  const name = theirs.pathname.slice(1);
  await admin.query(`CREATE DATABASE ${name}`);
  await admin.query(`CREATE ROLE ${name} SUPERUSER LOGIN PASSWORD 'further'`);
  await admin.query(`ALTER ROLE ${theirs.username} PASSWORD '${theirs.password}'`);
  Object.assign(ours, { pathname: theirs.pathname, username: name, password: 'further' });
  return new DataSource({ type: 'postgres', url: ours.href, migrations: [...outboxMigrations] }).initialize();
}

beforeAll(async () => {
  further = await startFurtherPostgres();
  admin = await new DataSource({ type: 'postgres', url: further.admin, poolSize: 1 }).initialize();
});
beforeEach(async () => {
  original = await freshDatabase(outboxMigrations);
  // Far from where a new cluster begins.
  await original.query(
    'DO $$ BEGIN FOR n IN 1..5000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$ LANGUAGE plpgsql',
  );
  restored = await placeFor(addressOf(original));
  rigs = [new RelayRig(original), new RelayRig(restored)];
});
afterEach(async () => {
  for (const rig of rigs) await rig.close();
});
afterAll(async () => {
  await admin?.destroy();
  await further?.stop();
});

/** What a dump holds of the outbox, and a restore puts there: rows as they are, and where the sequence stands. */
async function dumpAndRestore(): Promise<void> {
  await restored.runMigrations();
  for (const table of TABLES) {
    const rows = await original.query<{ row: string }[]>(`SELECT t::text AS row FROM ${table} t`);
    await restored.query(`DELETE FROM ${table}`);
    await restored.query(`INSERT INTO ${table} SELECT (one::${table}).* FROM unnest($1::text[]) AS one`, [
      rows.map(({ row }) => row),
    ]);
  }
  const [sequence] = await original.query<{ last_value: string }[]>('SELECT last_value FROM outbox_id');
  await restored.query(`SELECT setval('outbox_id', $1::bigint)`, [sequence?.last_value]);
}

const nextTransactionOf = async (dataSource: DataSource): Promise<bigint> => {
  const [row] = await dataSource.query<{ xid: string }[]>('SELECT pg_current_xact_id()::text AS xid');
  return BigInt(row?.xid ?? 0);
};

describe('an outbox that was dumped and restored in a new cluster', () => {
  it.each(['that was started anew', 'that never stopped, under the same address'])(
    'is sent by a relay %s: what had not been sent, in order, and what follows',
    async (which) => {
      const [before, after] = rigs;
      if (before === undefined || after === undefined) throw new Error('no rigs');
      const { contract, topic } = await before.newEvent();
      const publish = (rig: RelayRig, n: number) => rig.publish(contract, topic, { key: 'k', n });
      const valve = await openDatabaseValve(addressOf(original).connectionString);
      const relay = before.relay({ database: { connectionString: valve.url } });
      await relay.start();
      for (const n of [1, 2, 3]) await publish(before, n);
      await eventually(async () => expect((await before.received(topic)).get('k')).toEqual([1, 2, 3]));
      if (which.includes('anew')) await relay.stop();
      valve.state = 'cut';
      for (const n of [4, 5, 6]) await publish(before, n);
      await dumpAndRestore();
      // What was written there lies in this cluster's future.
      expect(await nextTransactionOf(restored)).toBeLessThan((await nextTransactionOf(original)) - 1_000n);

      valve.moveTo(addressOf(restored).connectionString);
      valve.state = 'open';
      if (which.includes('anew')) await before.relay({ database: { connectionString: valve.url } }).start();
      await publish(after, 7);
      const arrived = (numbers: readonly number[]) =>
        eventually(async () => expect((await after.received(topic)).get('k')).toEqual(numbers), { within: 20_000 });
      // All that is left in the table is sent anew, once.
      await arrived([1, 2, 3, ...upTo(7)]);
      await publish(after, 8);
      await arrived([1, 2, 3, ...upTo(8)]);
      await before.stopRelays();
      await valve.close();
    },
  );

  it('is sent by a relay that held no lane, where the one that did ended with the move', async () => {
    const [before, after] = rigs;
    if (before === undefined || after === undefined) throw new Error('no rigs');
    const { contract, topic } = await before.newEvent();
    const publish = (rig: RelayRig, n: number) => rig.publish(contract, topic, { key: 'k', n });
    const arrived = (numbers: readonly number[]) =>
      eventually(async () => expect((await after.received(topic)).get('k')).toEqual(numbers), { within: 20_000 });
    const valves = [
      await openDatabaseValve(addressOf(original).connectionString),
      await openDatabaseValve(addressOf(original).connectionString),
    ];
    const tokens = () => original.query(`SELECT token::int, count(*)::int AS lanes FROM outbox_lanes GROUP BY token`);
    for (const { url } of valves) {
      await before.relay({ database: { connectionString: url } }).start();
      // The first has taken all, and nobody takes one from it.
      await eventually(async () => expect(await tokens()).toEqual([{ token: 1, lanes: LANES }]));
    }
    for (const n of upTo(3)) await publish(before, n);
    await arrived(upTo(3));
    expect(await tokens()).toEqual([{ token: 1, lanes: LANES }]);
    for (const valve of valves) valve.state = 'cut';
    await dumpAndRestore();
    const [, other] = valves;
    other?.moveTo(addressOf(restored).connectionString);
    if (other) other.state = 'open';
    await publish(after, 4);
    await arrived([...upTo(3), ...upTo(4)]);
    await before.stopRelays();
    for (const valve of valves) await valve.close();
  });
});
