import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createPartitions } from './partitions.js';

/** The ids of handled messages, and the messages that cannot be handled. */
export class RememberHandledMessages1795392000201 implements MigrationInterface {
  readonly name = 'RememberHandledMessages1795392000201';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE inbox (
        event_id uuid NOT NULL,
        consumer text NOT NULL,
        topic text NOT NULL,
        received_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (event_id, consumer, topic)
      ) PARTITION BY RANGE (event_id)`);
    await runner.query(`CREATE TABLE inbox_rest PARTITION OF inbox DEFAULT`);
    await createPartitions((statement) => runner.query(statement), new Date());
    await runner.query(`
      CREATE TABLE parked_messages (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        consumer text NOT NULL,
        topic text NOT NULL,
        position text NOT NULL,
        key_hash text NOT NULL,
        holds_up boolean NOT NULL,
        event_id uuid,
        type text,
        reason text NOT NULL,
        sealed bytea,
        state text NOT NULL DEFAULT 'parked' CHECK (state IN ('parked', 'handled', 'discarded')),
        parked_at timestamptz NOT NULL DEFAULT now(),
        ended_at timestamptz,
        ended_reason text,
        CHECK ((state = 'parked') = (sealed IS NOT NULL)),
        CHECK ((state = 'parked') = (ended_reason IS NULL)),
        UNIQUE (consumer, topic, position)
      )`);
    await runner.query(
      `CREATE INDEX parked_messages_by_key ON parked_messages (consumer, topic, key_hash) WHERE state = 'parked'`,
    );
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}

/** What was kept of parked messages, and all that people and time did with them. */
export class RecordActionsOnParkedMessages1795392000202 implements MigrationInterface {
  readonly name = 'RecordActionsOnParkedMessages1795392000202';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE parked_messages
        ADD bytes bigint NOT NULL DEFAULT 0,
        ADD truncated boolean NOT NULL DEFAULT false,
        ADD messages bigint NOT NULL DEFAULT 1`);
    await runner.query(`
      CREATE TABLE parked_actions (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        consumer text NOT NULL,
        message bigint,
        action text NOT NULL CHECK (action IN ('shown', 'dry-run', 'replayed', 'replay-failed', 'discarded')),
        actor text NOT NULL,
        reason text,
        at timestamptz NOT NULL DEFAULT clock_timestamp()
      )`);
    await runner.query(`CREATE INDEX parked_messages_handled ON parked_messages (event_id) WHERE state = 'handled'`);
    await runner.query(`CREATE INDEX parked_actions_by_message ON parked_actions (message)`);
    await runner.query(`
      CREATE FUNCTION refuse_change_of_parked_actions() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'actions on parked messages are only ever added'; END $$`);
    await runner.query(`
      CREATE TRIGGER parked_actions_are_only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON parked_actions
      FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_parked_actions()`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}

/** A replay asks for the event that it is about to handle: without an index it reads all that is parked of its topic. */
export class FindParkedMessagesByTheirEvent1795392000203 implements MigrationInterface {
  readonly name = 'FindParkedMessagesByTheirEvent1795392000203';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX parked_messages_by_event ON parked_messages (event_id) WHERE state = 'parked'`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}

/** What waits is counted every fifteen seconds: without an index with all that is asked for, each message is read for it. */
export class CountParkedMessagesByReason1795392000204 implements MigrationInterface {
  readonly name = 'CountParkedMessagesByReason1795392000204';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE INDEX parked_messages_by_reason ON parked_messages (consumer, reason, parked_at) WHERE state = 'parked'`,
    );
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}

/** Ids of no week are forgotten by their age: without an index all of them are read for it, each hour. */
export class FindIdsOfNoWeekByTheirAge1795392000205 implements MigrationInterface {
  readonly name = 'FindIdsOfNoWeekByTheirAge1795392000205';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX inbox_rest_by_age ON inbox_rest (received_at)`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}

/** Of a key the newest message that holds up is asked for with each batch: without it in the index all of them are read. */
export class FindTheNewestParkedMessageOfAKey1795392000206 implements MigrationInterface {
  readonly name = 'FindTheNewestParkedMessageOfAKey1795392000206';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX parked_messages_by_key`);
    await runner.query(
      `CREATE INDEX parked_messages_by_key ON parked_messages (consumer, topic, key_hash, holds_up, id)
       WHERE state = 'parked'`,
    );
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}

/** To be listed in each service's DataSource. */
export const inboxMigrations: (new () => MigrationInterface)[] = [
  RememberHandledMessages1795392000201,
  RecordActionsOnParkedMessages1795392000202,
  FindParkedMessagesByTheirEvent1795392000203,
  CountParkedMessagesByReason1795392000204,
  FindIdsOfNoWeekByTheirAge1795392000205,
  FindTheNewestParkedMessageOfAKey1795392000206,
];
