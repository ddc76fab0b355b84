import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateSweeps1763890000008 implements MigrationInterface {
  readonly name = 'CreateSweeps1763890000008';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- shares to be made pending in the background, in chunks; the cursor is the last customer or share seen
      CREATE TABLE sweeps (
        id uuid PRIMARY KEY,
        kind text NOT NULL CHECK (kind IN ('make-shares', 'renew-shares')),
        recipient text NOT NULL,
        cause text NOT NULL,
        position uuid,
        created_at timestamptz NOT NULL DEFAULT now(),
        done_at timestamptz
      );
      CREATE INDEX sweeps_open ON sweeps (created_at) WHERE done_at IS NULL;
    `);
  }

  /** Forward only: what was shared cannot be unshared by a migration. */
  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
