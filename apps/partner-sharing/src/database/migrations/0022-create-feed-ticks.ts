import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateFeedTicks1763890000022 implements MigrationInterface {
  readonly name = 'CreateFeedTicks1763890000022';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- which feeds the broker must be shown a tick of, so that it forgets what was replaced there
      CREATE TABLE feed_ticks (
        recipient text PRIMARY KEY REFERENCES recipients (slug),
        -- the ledger's last entry about this recipient that was seen here
        entry_index bigint NOT NULL,
        ticks_left smallint NOT NULL CHECK (ticks_left >= 0),
        -- of the next tick; null: the feed rests
        due_at timestamptz,
        CHECK ((ticks_left = 0) = (due_at IS NULL))
      );
      CREATE INDEX feed_ticks_due ON feed_ticks (due_at) WHERE due_at IS NOT NULL;
    `);
  }

  /** Forward only: what was shared cannot be unshared by a migration. */
  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
