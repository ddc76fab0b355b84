import type { MigrationInterface, QueryRunner } from 'typeorm';
import { LANES } from './lanes.js';
import { createPartitions } from './partitions.js';

/**
 * Events wait here from their transaction's commit until they are on their topic, and some time longer. Ids come from a
 * sequence that hands out one at a time: cached ranges per connection would break the order of a key.
 */
export class KeepEventsUntilTheyAreSent1795392000101 implements MigrationInterface {
  readonly name = 'KeepEventsUntilTheyAreSent1795392000101';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE SEQUENCE outbox_id AS bigint CACHE 1`);
    await runner.query(`
      CREATE TABLE outbox (
        id bigint NOT NULL DEFAULT nextval('outbox_id'),
        xid xid8 NOT NULL,
        lane smallint NOT NULL,
        event_id uuid NOT NULL,
        aggregatetype text NOT NULL,
        aggregateid text NOT NULL,
        type text NOT NULL,
        payload text,
        headers jsonb NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (id)
      ) PARTITION BY RANGE (id)`);
    // Finds the first row that a snapshot does not know; the rest is read by id.
    await runner.query(`CREATE INDEX outbox_xid ON outbox (xid)`);
    await runner.query(`ALTER SEQUENCE outbox_id OWNED BY outbox.id`);
    await runner.query(`CREATE TABLE outbox_cluster (system_identifier text NOT NULL)`);
    await runner.query(`
      CREATE TABLE outbox_lanes (
        lane smallint PRIMARY KEY,
        settled pg_snapshot NOT NULL DEFAULT '1:1:',
        reading pg_snapshot NOT NULL DEFAULT '1:1:',
        last_id bigint NOT NULL DEFAULT 0,
        token bigint NOT NULL DEFAULT 0,
        lease_until timestamptz NOT NULL DEFAULT '-infinity'
      )`);
    await runner.query(`INSERT INTO outbox_lanes (lane) SELECT generate_series(0, $1::int - 1)`, [LANES]);
    await createPartitions((statement) => runner.query(statement));
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}

/**
 * Tells a crash of the server: it empties what is not logged, and nothing else does (PostgreSQL, CREATE TABLE, UNLOGGED).
 * A server that was promoted has it empty too.
 */
export class NoticeCrashesOfTheServer1795392000102 implements MigrationInterface {
  readonly name = 'NoticeCrashesOfTheServer1795392000102';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE UNLOGGED TABLE outbox_incarnation (
        single boolean PRIMARY KEY DEFAULT true CHECK (single),
        id uuid NOT NULL DEFAULT gen_random_uuid()
      )`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}

/** Longer than autovacuum takes to make way (`deadlock_timeout`), and shorter than somebody who writes waits. */
const LOCK_TIMEOUT = `SET LOCAL lock_timeout = '2s'`;

/**
 * A replica that knows more lanes fails with what it writes into them, and nobody shuts out what it sends: producers of lanes
 * that are gone are not opened again. From here to the end of the migration no lane is taken.
 */
async function refuseWhileLanesAreHeld(runner: QueryRunner): Promise<void> {
  const lanes = (await runner.query(
    `SELECT lease_until > now() AS "isHeld" FROM outbox_lanes ORDER BY lane FOR UPDATE`,
  )) as { isHeld: boolean }[];
  if (!lanes.some(({ isHeld }) => isHeld)) return;
  throw new Error(
    'the outbox gets another number of lanes, and a replica still sends: stop all replicas of the service, then start it ' +
      '(after a crash the lanes are held for some ten seconds more)',
  );
}

/**
 * Databases of before have eight lanes. A key's lane was its hash modulo 8, so that two of them make one of four; each had
 * its own place, so what is left in the table is sent again, in order.
 */
export class JoinLanesToFour1795392000103 implements MigrationInterface {
  readonly name = 'JoinLanesToFour1795392000103';

  async up(runner: QueryRunner): Promise<void> {
    await refuseWhileLanesAreHeld(runner);
    await runner.query(`
      WITH gone AS (DELETE FROM outbox_lanes WHERE lane >= 4 RETURNING lane)
      UPDATE outbox_lanes
      SET settled = '1:1:', reading = '1:1:', last_id = 0, token = token + 1, lease_until = '-infinity'
      WHERE lane < 4 AND EXISTS (SELECT FROM gone)`);
    await runner.query(`UPDATE outbox SET lane = lane % 4 WHERE lane >= 4`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}

/**
 * Nobody sends what is in a lane that is not there. A replica of before that still writes into one fails instead, and what
 * one has written meanwhile is sent.
 */
export class KeepToTheLanes1795392000104 implements MigrationInterface {
  readonly name = 'KeepToTheLanes1795392000104';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`UPDATE outbox SET lane = lane % 4, xid = pg_current_xact_id() WHERE lane >= 4`);
    await runner.query(`ALTER TABLE outbox ADD CONSTRAINT outbox_lane CHECK (lane >= 0 AND lane < 4)`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}

/** As when eight became four: what is left is sent again, in order. */
export class JoinLanesToTwo1795392000105 implements MigrationInterface {
  readonly name = 'JoinLanesToTwo1795392000105';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(LOCK_TIMEOUT);
    await refuseWhileLanesAreHeld(runner);
    await runner.query(`
      WITH gone AS (DELETE FROM outbox_lanes WHERE lane >= 2 RETURNING lane)
      UPDATE outbox_lanes
      SET settled = '1:1:', reading = '1:1:', last_id = 0, token = token + 1, lease_until = '-infinity'
      WHERE lane < 2 AND EXISTS (SELECT FROM gone)`);
    await runner.query(`UPDATE outbox SET lane = lane % 2, xid = pg_current_xact_id() WHERE lane >= 2`);
    // Last: behind it everybody waits. The check is made with each row that is written, so it is as short as can be.
    await runner.query(`ALTER TABLE outbox DROP CONSTRAINT outbox_lane, ADD CONSTRAINT outbox_lane CHECK (lane < 2)`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}

/** Headers as text, for nobody asks within them: what is written is not parsed into a tree, nor what is read made text again. */
export class KeepHeadersAsWritten1795392000106 implements MigrationInterface {
  readonly name = 'KeepHeadersAsWritten1795392000106';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(LOCK_TIMEOUT);
    await runner.query(`ALTER TABLE outbox ALTER COLUMN headers TYPE json`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}

/**
 * Up to where the service's own topics are known to hold what this database wrote, and nothing else. Until a lane's place is
 * marked, what it has sent is not dropped: by it, each record behind a mark is recognised.
 */
export class MarkWhatIsKnownOfOwnTopics1795392000107 implements MigrationInterface {
  readonly name = 'MarkWhatIsKnownOfOwnTopics1795392000107';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE outbox_marks (
        topic text NOT NULL,
        partition integer NOT NULL,
        next_offset bigint NOT NULL CHECK (next_offset >= 0),
        PRIMARY KEY (topic, partition)
      )`);
    await runner.query(LOCK_TIMEOUT);
    // Null where nobody marks: what is settled is dropped.
    await runner.query(`ALTER TABLE outbox_lanes ADD COLUMN marked pg_snapshot`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}

/** To be listed in each service's DataSource. */
export const outboxMigrations: (new () => MigrationInterface)[] = [
  KeepEventsUntilTheyAreSent1795392000101,
  NoticeCrashesOfTheServer1795392000102,
  JoinLanesToFour1795392000103,
  KeepToTheLanes1795392000104,
  JoinLanesToTwo1795392000105,
  KeepHeadersAsWritten1795392000106,
  MarkWhatIsKnownOfOwnTopics1795392000107,
];
