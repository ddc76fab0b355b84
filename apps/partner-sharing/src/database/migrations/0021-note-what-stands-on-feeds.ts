import type { MigrationInterface, QueryRunner } from 'typeorm';

export class NoteWhatStandsOnFeeds1763890000021 implements MigrationInterface {
  readonly name = 'NoteWhatStandsOnFeeds1763890000021';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- how far each feed was read, and what was found on the way
      CREATE TABLE feed_positions (
        topic text NOT NULL,
        partition integer NOT NULL,
        next_offset bigint NOT NULL DEFAULT 0,
        records bigint NOT NULL DEFAULT 0,
        duplicates bigint NOT NULL DEFAULT 0,
        groundless bigint NOT NULL DEFAULT 0,
        fallen bigint NOT NULL DEFAULT 0,
        -- offsets that were gone before they could be read
        unobserved bigint NOT NULL DEFAULT 0,
        -- an entry below this index may have its record at one of them
        unobserved_below bigint NOT NULL DEFAULT 0,
        read_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (topic, partition)
      ) WITH (fillfactor = 50);

      -- where the record of an entry stands; dropped some time after it was compared
      CREATE TABLE noted_records (
        entry uuid PRIMARY KEY,
        index bigint NOT NULL,
        topic text NOT NULL,
        partition integer NOT NULL,
        "offset" bigint NOT NULL,
        -- SHA-256 of all that the record is
        digest bytea NOT NULL,
        noted_at timestamptz NOT NULL DEFAULT clock_timestamp()
      );
      CREATE INDEX noted_records_by_time ON noted_records (noted_at);

      -- the newest record of each share that was seen on its feed
      CREATE TABLE last_records (
        share uuid PRIMARY KEY REFERENCES shares (id) ON DELETE CASCADE,
        version bigint NOT NULL,
        entry uuid NOT NULL,
        topic text NOT NULL,
        partition integer NOT NULL,
        "offset" bigint NOT NULL,
        digest bytea NOT NULL
      ) WITH (fillfactor = 80);

      -- entries whose record has not been seen yet
      CREATE TABLE awaited_records (
        entry uuid PRIMARY KEY,
        index bigint NOT NULL,
        topic text NOT NULL,
        -- once it was sent: where its feed ended then, {partition: offset}
        ends jsonb
      );

      CREATE TABLE compared_entries (
        only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
        -- all entries before it were compared with the notes, or are awaited
        next_index bigint NOT NULL DEFAULT 0,
        -- entries whose record may have stood at an offset that could not be seen
        unobserved bigint NOT NULL DEFAULT 0
      );
      INSERT INTO compared_entries DEFAULT VALUES;

      -- what became of an entry whose send failed
      CREATE INDEX ledger_entries_aborted ON ledger_entries (((leaf::jsonb) ->> 'of')) WHERE kind = 'aborted';

      -- what was found at one place is one incident for good
      CREATE UNIQUE INDEX incidents_of_feeds ON incidents (kind, cause)
        WHERE kind IN ('disclosure-without-a-ground', 'record-missing', 'version-fell');
    `);
  }

  /** Forward only: what was shared cannot be unshared by a migration. */
  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
