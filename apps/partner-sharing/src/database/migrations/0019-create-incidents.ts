import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateIncidents1763890000019 implements MigrationInterface {
  readonly name = 'CreateIncidents1763890000019';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- what must not be, until somebody has said what came of it; no personal data
      CREATE TABLE incidents (
        id uuid PRIMARY KEY,
        kind text NOT NULL,
        cause text NOT NULL,
        owner text NOT NULL,
        state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')),
        opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        closed_at timestamptz,
        closed_by text,
        reason text,
        CHECK ((state = 'closed') = (closed_at IS NOT NULL AND closed_by IS NOT NULL AND reason IS NOT NULL))
      );
      -- the same is found again and again until it is mended
      CREATE UNIQUE INDEX incidents_open ON incidents (kind, cause) WHERE state = 'open';
      CREATE INDEX incidents_by_time ON incidents (opened_at, id);
    `);
  }

  /** Forward only: what was shared cannot be unshared by a migration. */
  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
