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

/** To be listed in each service's DataSource. */
export const inboxMigrations: (new () => MigrationInterface)[] = [RememberHandledMessages1795392000201];
