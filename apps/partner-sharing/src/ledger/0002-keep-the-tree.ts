import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The Merkle tree over the entries, in the tiles that others read (C2SP tlog-tiles), and what was signed of it. */
export class KeepTheTree1763856000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE ledger_tiles (
        level smallint NOT NULL CHECK (level >= 0),
        index bigint NOT NULL CHECK (index >= 0),
        -- Of 32 bytes each, one after the other.
        hashes bytea NOT NULL CHECK (octet_length(hashes) BETWEEN 32 AND 8192 AND octet_length(hashes) % 32 = 0),
        PRIMARY KEY (level, index)
      ) WITH (fillfactor = 50)`);
    // Hashes do not compress.
    await runner.query('ALTER TABLE ledger_tiles ALTER COLUMN hashes SET STORAGE EXTERNAL');
    await runner.query(`
      CREATE TABLE ledger_checkpoints (
        size bigint PRIMARY KEY CHECK (size >= 0),
        root bytea NOT NULL CHECK (octet_length(root) = 32),
        -- As it was signed.
        note text NOT NULL,
        signed_at timestamptz NOT NULL DEFAULT clock_timestamp()
      )`);
    await runner.query(`
      CREATE TABLE ledger_tree (
        only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
        -- Entries that stand in the tiles.
        size bigint NOT NULL CHECK (size >= 0)
      ) WITH (fillfactor = 10)`);
    await runner.query('INSERT INTO ledger_tree (size) VALUES (0)');
    // As with the entries, against a slip of our own.
    await runner.query(`
      CREATE FUNCTION refuse_other_hashes() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF substring(NEW.hashes FOR octet_length(OLD.hashes)) <> OLD.hashes THEN
          RAISE EXCEPTION 'a tile only ever grows';
        END IF;
        RETURN NEW;
      END $$`);
    await runner.query(`
      CREATE TRIGGER tiles_only_grow BEFORE UPDATE ON ledger_tiles
      FOR EACH ROW EXECUTE FUNCTION refuse_other_hashes()`);
    await runner.query(`
      CREATE TRIGGER tiles_stay BEFORE DELETE OR TRUNCATE ON ledger_tiles
      FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_change()`);
    await runner.query(`
      CREATE TRIGGER checkpoints_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_checkpoints
      FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_change()`);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
