import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateResyncs1763890000023 implements MigrationInterface {
  readonly name = 'CreateResyncs1763890000023';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- all that a recipient may hold, published anew because it asked
      CREATE TABLE resyncs (
        recipient text PRIMARY KEY REFERENCES recipients (slug),
        -- of its next chunk; null: nobody asks
        due_at timestamptz,
        -- of the last one that began
        begun_at timestamptz,
        -- the last share that was published anew; null: not begun
        position uuid,
        -- it was asked for once more since it began
        again boolean NOT NULL DEFAULT false
      );
      CREATE INDEX resyncs_due ON resyncs (due_at) WHERE due_at IS NOT NULL;

      -- the same of one subject
      CREATE TABLE subject_resyncs (
        share uuid PRIMARY KEY REFERENCES shares (id),
        recipient text NOT NULL,
        due_at timestamptz NOT NULL
      );
      CREATE INDEX subject_resyncs_by_recipient ON subject_resyncs (recipient, due_at);
    `);
  }

  /** Forward only: what was shared cannot be unshared by a migration. */
  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
