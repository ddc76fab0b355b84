import { eventually, freshDatabase } from '@castiron/testing';
import type { EntityManager } from 'typeorm';
import { expect, it } from 'vitest';
import { restartAfterRestore } from './cluster-identity.js';
import { Connections } from './connections.js';
import { outboxMigrations } from './index.js';
import { addressOf } from './testing/address-of.js';
import { RelayRig } from './testing/relay.rig.js';

it('a backlog that was restored in another cluster is taken over, though all of it takes longer than a statement may', async () => {
  const dataSource = await freshDatabase(outboxMigrations);
  for (const id of [1, 100_000, 200_000]) {
    await dataSource.query(
      `INSERT INTO outbox (id, xid, lane, event_id, aggregatetype, aggregateid, type, headers)
       VALUES ($1, '1000000', 0, gen_random_uuid(), 'topic', 'key', 'type', '{}')`,
      [id],
    );
  }
  await dataSource.query(
    `CREATE FUNCTION take_long() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.8); RETURN NEW; END $$`,
  );
  await dataSource.query(`CREATE TRIGGER take_long BEFORE UPDATE ON outbox FOR EACH ROW EXECUTE FUNCTION take_long()`);
  await dataSource.query(`INSERT INTO outbox_cluster VALUES ('another')`);
  const connections = new Connections({ ...addressOf(dataSource), statement_timeout: 2_000 }, () => undefined);
  expect(await restartAfterRestore(connections)).toMatchObject({ isAnother: true });
  expect(await restartAfterRestore(connections)).toMatchObject({ isAnother: false });
  expect(
    await dataSource.query(`SELECT count(DISTINCT xid)::int AS xids, bool_or(xid = '1000000') AS old FROM outbox`),
  ).toEqual([{ xids: 1, old: false }]);
  await connections.end();
  await dataSource.destroy();
});

it('a relay starts at once while another one takes a backlog over, and sends after that', async () => {
  const dataSource = await freshDatabase(outboxMigrations);
  const rig = new RelayRig(dataSource);
  const { contract, topic } = await rig.newEvent();
  await rig.publish(contract, topic, { key: 'k', n: 1 });
  await dataSource.transaction(async (other) => {
    await other.query('LOCK TABLE outbox_cluster IN EXCLUSIVE MODE');
    await rig.relay({ database: { ...addressOf(dataSource), statement_timeout: 500 } }).start();
    // It is given up, and tried again.
    await eventually(async () => expect(await waiting(other)).toBe(true));
    await eventually(async () => expect(await waiting(other)).toBe(false));
    await eventually(async () => expect(await waiting(other)).toBe(true));
    expect(await other.query('SELECT FROM outbox_lanes WHERE token > 0')).toEqual([]);
  });
  await eventually(async () => expect((await rig.received(topic)).get('k')).toEqual([1]));
  await rig.close();
});

async function waiting(on: Pick<EntityManager, 'query'>): Promise<boolean> {
  const rows = await on.query<unknown[]>(
    `SELECT FROM pg_locks WHERE relation = 'outbox_cluster'::regclass AND NOT granted
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  );
  return rows.length > 0;
}
