import { connect, type FencedProducer, type Kafka } from '@castiron/kafka';
import { eventually, freshDatabase } from '@castiron/testing';
import type { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { outboxMigrations } from './index.js';
import { laneOf, LANES } from './lanes.js';
import { unsettledIds } from './outbox-room.js';
import { RelayRig } from './testing/relay.rig.js';

let dataSource: DataSource;
let rig: RelayRig;

beforeEach(async () => {
  dataSource = await freshDatabase(outboxMigrations);
  rig = new RelayRig(dataSource);
});
afterEach(() => rig.close());

/** A process that is stopped in the middle of a send, as its relay sees it: the send does not get on until it is let. */
class Stoppable {
  waiting = 0;
  /** Sends that were let on and have not ended. */
  sending = 0;
  private gate: Promise<void> = Promise.resolve();
  private open: () => void = () => undefined;
  readonly kafka: Kafka;

  constructor(kafka: Kafka) {
    this.kafka = { ...kafka, fencedProducer: (id) => this.held(kafka.fencedProducer(id)) };
  }

  stop(): void {
    this.gate = new Promise((resolve) => (this.open = resolve));
  }

  goOn(): void {
    this.open();
  }

  private held(producer: FencedProducer): FencedProducer {
    return {
      open: () => producer.open(),
      send: async (messages) => {
        this.waiting += 1;
        await this.gate;
        this.waiting -= 1;
        this.sending += 1;
        return producer.send(messages).finally(() => (this.sending -= 1));
      },
      close: async () => {
        await this.gate;
        await producer.close();
      },
    };
  }
}

/** As when nothing was heard of their owner for the length of a lease. */
const endLeases = () => dataSource.query(`UPDATE outbox_lanes SET lease_until = '-infinity'`);

const breakConnections = () =>
  dataSource.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'castiron-outbox'`,
  );

/** Notes with each claim from here on what is so then. */
async function noteClaims(what: string): Promise<void> {
  await dataSource.query(`CREATE TABLE claims (what text NOT NULL)`);
  await dataSource.query(
    `CREATE FUNCTION note_claim() RETURNS trigger LANGUAGE plpgsql AS
     $$ BEGIN INSERT INTO claims SELECT ${what}; RETURN NULL; END $$`,
  );
  await dataSource.query(
    `CREATE TRIGGER note_claim AFTER UPDATE OF token ON outbox_lanes FOR EACH ROW EXECUTE FUNCTION note_claim()`,
  );
}

/** What was noted, each once. */
async function claims(): Promise<string[]> {
  const rows = await dataSource.query<{ what: string }[]>(`SELECT DISTINCT what FROM claims`);
  return rows.map(({ what }) => what);
}

describe('a relay that was taken for dead', () => {
  it('does no harm when it comes back in the middle of a send', async () => {
    const { contract, topic } = await rig.newEvent();
    const stoppable = new Stoppable(rig.kafka);
    const publish = (n: number) => rig.publish(contract, topic, { key: 'k', n });
    const arrived = (...numbers: number[]) =>
      eventually(async () => expect((await rig.received(topic)).get('k')).toEqual(numbers));
    // It hears of its successor by nothing but its own failing send: its lease would not be renewed for long.
    await rig.relay({ kafka: stoppable.kafka, leaseMs: 60_000 }).start();
    await publish(1);
    await arrived(1);
    // Written down, or its successor would send it once more.
    await eventually(async () => expect(await unsettledIds(dataSource)).toBe(0));

    stoppable.stop();
    await publish(2);
    await eventually(() => stoppable.waiting > 0);
    await endLeases();
    await rig.relay().start();
    await arrived(1, 2);
    await publish(3);
    await arrived(1, 2, 3);

    stoppable.goOn();
    await eventually(() => stoppable.waiting === 0 && stoppable.sending === 0);
    await publish(4);
    await arrived(1, 2, 3, 4);
  });

  it('is replaced once its lease is over', async () => {
    const { contract, topic } = await rig.newEvent();
    await rig.publish(contract, topic, { key: 'k', n: 1 });
    // As a process leaves it that is killed.
    await dataSource.query(`UPDATE outbox_lanes SET token = 7, lease_until = now() + interval '2 seconds'`);
    await noteClaims(`OLD.lease_until <= now()`);
    await rig.relay({ leaseMs: 2_000 }).start();
    await eventually(async () => expect((await rig.received(topic)).get('k')).toEqual([1]), { within: 6_000 });
    expect(await claims()).toEqual(['true']);
  });

  it('is replaced at once where the clock of the database was set back by an hour since', async () => {
    const { contract, topic } = await rig.newEvent();
    await rig.publish(contract, topic, { key: 'k', n: 1 });
    await dataSource.query(`UPDATE outbox_lanes SET token = 7, lease_until = now() + interval '1 hour'`);
    await rig.relay().start();
    await eventually(async () => expect((await rig.received(topic)).get('k')).toEqual([1]), { within: 6_000 });
  });

  it('keeps its lanes through work that takes longer than a lease', async () => {
    const { contract, topic } = await rig.newEvent();
    const stoppable = new Stoppable(rig.kafka);
    await rig.relay({ kafka: stoppable.kafka, leaseMs: 3_000 }).start();
    stoppable.stop();
    await rig.publish(contract, topic, { key: 'k', n: 1 });
    await eventually(() => stoppable.waiting > 0);
    const tokens = () => dataSource.query(`SELECT lane, token FROM outbox_lanes ORDER BY lane`);
    const before = await tokens();
    const [first] = await dataSource.query<{ until: string }[]>(
      `SELECT max(lease_until)::text AS until FROM outbox_lanes`,
    );
    await rig.relay({ leaseMs: 3_000 }).start();
    const notRenewed = () =>
      dataSource.query(`SELECT FROM outbox_lanes WHERE lease_until < $1::timestamptz + interval '3 seconds'`, [
        first?.until,
      ]);
    await eventually(async () => expect(await notRenewed()).toEqual([]));
    expect(await tokens()).toEqual(before);
    stoppable.goOn();
    await eventually(async () => expect((await rig.received(topic)).get('k')).toEqual([1]));
  });
});

describe('a relay that does not reach the broker', () => {
  it('leaves its lanes to one that does', async () => {
    const { contract, topic } = await rig.newEvent();
    const away = connect({ brokers: ['127.0.0.1:1'], clientId: 'spec', username: 'nobody', password: 'nothing' });
    await rig.relay({ kafka: away, leaseMs: 600 }).start();
    const held = () => dataSource.query(`SELECT FROM outbox_lanes WHERE token > 0`);
    await eventually(async () => expect(await held()).toHaveLength(LANES));
    await rig.relay({ leaseMs: 600 }).start();
    await rig.publish(contract, topic, { key: 'k', n: 1 });
    await eventually(async () => expect((await rig.received(topic)).get('k')).toEqual([1]));
  });
});

describe('a relay whose lease ended unrenewed and unnoticed', () => {
  it('goes on with the lanes it has, and loses nothing of what it had read for them', async () => {
    const { contract, topic } = await rig.newEvent();
    const stoppable = new Stoppable(rig.kafka);
    const publish = (n: number) => rig.publish(contract, topic, { key: 'k', n });
    const lane = laneOf(topic, 'k');
    // Another process has the other lanes, so that this one looks for some that are free.
    await dataSource.query(`UPDATE outbox_lanes SET lease_until = now() + interval '1 minute' WHERE lane <> $1`, [
      lane,
    ]);
    await rig.relay({ kafka: stoppable.kafka, leaseMs: 60_000 }).start();
    await publish(1);
    await eventually(async () => expect((await rig.received(topic)).get('k')).toEqual([1]));

    stoppable.stop();
    await publish(2);
    await eventually(() => stoppable.waiting > 0);
    await publish(3);
    // Long enough for it to be read ahead and for lanes to be looked for; a look comes each second.
    await dataSource.query('SELECT pg_sleep(1.5)');
    await endLeases();
    await dataSource.query('SELECT pg_sleep(1.5)');
    await publish(4);
    await dataSource.query('SELECT pg_sleep(1.5)');
    stoppable.goOn();
    await publish(5);
    await eventually(async () => expect((await rig.received(topic)).get('k')).toEqual([1, 2, 3, 4, 5]));
  });
});

describe('a server that crashed', () => {
  it('may give a transaction an id that was seen as done before, and its events are sent', async () => {
    const { contract, topic } = await rig.newEvent();
    const publish = (n: number) => rig.publish(contract, topic, { key: 'k', n });
    const arrived = (...numbers: number[]) =>
      eventually(async () => expect((await rig.received(topic)).get('k')).toEqual(numbers));
    await rig.relay().start();
    await publish(1);
    await arrived(1);
    const [seen] = await dataSource.query<{ xid: string }[]>(`SELECT xid FROM outbox`);

    // What a crash leaves: nothing that is not logged, no connection, and of cursors what had come to the disk.
    await dataSource.query(`TRUNCATE outbox_incarnation`);
    await breakConnections();
    await dataSource.query(`UPDATE outbox_lanes SET settled = '1:1:', reading = '1:1:', last_id = 0`);
    await dataSource.query(`DELETE FROM outbox`);
    await dataSource.query(
      `CREATE FUNCTION give_again() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN NEW.xid := '${seen?.xid}'; RETURN NEW; END $$`,
    );
    await dataSource.query(
      `CREATE TRIGGER give_again BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION give_again()`,
    );
    await publish(2);
    await dataSource.query(`DROP TRIGGER give_again ON outbox`);
    await publish(3);
    await arrived(1, 2, 3);
  });
});

describe('lanes that were restored in the same cluster', () => {
  it('are taken anew, for another process may have been given the same token', async () => {
    const { contract, topic } = await rig.newEvent();
    await rig.relay({ leaseMs: 60_000 }).start();
    await rig.publish(contract, topic, { key: 'k', n: 1 });
    await eventually(async () => expect((await rig.received(topic)).get('k')).toEqual([1]));
    await dataSource.query(`CREATE TABLE restored (LIKE outbox_lanes INCLUDING ALL)`);
    await dataSource.query(`INSERT INTO restored SELECT * FROM outbox_lanes`);
    await dataSource.query(`DROP TABLE outbox_lanes`);
    await dataSource.query(`ALTER TABLE restored RENAME TO outbox_lanes`);
    await breakConnections();
    await eventually(async () =>
      expect(await dataSource.query(`SELECT DISTINCT token FROM outbox_lanes`)).toEqual([{ token: '2' }]),
    );
    await rig.publish(contract, topic, { key: 'k', n: 2 });
    await eventually(async () => expect((await rig.received(topic)).get('k')?.at(-1)).toBe(2));
  });
});

describe('the tokens of lanes', () => {
  it('are on disk before their owners act on them', async () => {
    await noteClaims(`current_setting('synchronous_commit')`);
    await rig.relay().start();
    await eventually(async () => expect(await claims()).toEqual(['on']));
  });
});

describe('an event whose transaction wakes nobody', () => {
  it('is sent all the same, soon', async () => {
    const { contract, topic } = await rig.newEvent();
    await rig.relay().start();
    await rig.publish(contract, topic, { key: 'k', n: 1 });
    await eventually(async () => expect((await rig.received(topic)).get('k')).toEqual([1]), { within: 4_000 });
    // All is quiet now, and the next one is found as well.
    await rig.publish(contract, topic, { key: 'k', n: 2 });
    await eventually(async () => expect((await rig.received(topic)).get('k')).toEqual([1, 2]), { within: 4_000 });
  });
});

describe('events that are large together', () => {
  it('go in several sends, for a partition takes so much at once', async () => {
    const { contract, topic } = await rig.newEvent();
    const numbers = Array.from({ length: 20 }, (_, n) => n + 1);
    for (const n of numbers) await rig.publish(contract, topic, { key: 'k', n, fill: 'x'.repeat(300_000) });
    await rig.relay().start();
    await eventually(async () => expect((await rig.received(topic)).get('k')).toEqual(numbers), { within: 20_000 });
  });
});
