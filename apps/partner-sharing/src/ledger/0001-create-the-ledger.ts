import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The ledger holds no personal data: neither customer nor share stands in it. Which entry is about whom is kept beside
 * the shares, and goes with them.
 */
export class CreateTheLedger1763856000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE ledger_entries (
        index bigint PRIMARY KEY CHECK (index >= 0),
        id uuid NOT NULL UNIQUE,
        kind text NOT NULL CHECK (kind IN ('released', 'withdrawn', 'tombstone', 'withheld', 'aborted')),
        recipient text NOT NULL,
        -- The canonical bytes that were hashed: jsonb would lose them.
        leaf text NOT NULL CHECK (octet_length(leaf) < 65536),
        leaf_hash bytea NOT NULL CHECK (octet_length(leaf_hash) = 32)
      )`);
    await runner.query(`CREATE INDEX ledger_entries_by_recipient ON ledger_entries (recipient, index)`);
    await runner.query(`
      CREATE TABLE ledger_head (
        only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
        size bigint NOT NULL CHECK (size >= 0)
      ) WITH (fillfactor = 10)`);
    await runner.query(`INSERT INTO ledger_head (size) VALUES (0)`);
    // Against a slip of our own; against whoever owns the database, signed checkpoints help.
    await runner.query(`
      CREATE FUNCTION refuse_ledger_change() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'the ledger is only ever appended to'; END $$`);
    await runner.query(`
      CREATE TRIGGER ledger_is_only_appended_to BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries
      FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_change()`);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
