import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateObligations1763890000007 implements MigrationInterface {
  readonly name = 'CreateObligations1763890000007';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE obligations (
        id uuid PRIMARY KEY,
        share uuid NOT NULL REFERENCES shares (id),
        recipient text NOT NULL,
        subject uuid NOT NULL,
        version integer NOT NULL,
        complete boolean NOT NULL,
        attributes jsonb NOT NULL,
        due_by timestamptz NOT NULL,
        state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'confirmed', 'expired')),
        created_at timestamptz NOT NULL DEFAULT now(),
        settled_at timestamptz
      );
      CREATE INDEX obligations_open ON obligations (due_by) WHERE state = 'open';
      CREATE INDEX obligations_by_share ON obligations (share);
    `);
  }

  /** Forward only: what was shared cannot be unshared by a migration. */
  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
