import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateAgreements1763890000002 implements MigrationInterface {
  readonly name = 'CreateAgreements1763890000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE agreements (
        id uuid PRIMARY KEY,
        recipient text NOT NULL REFERENCES recipients (slug),
        state text NOT NULL CHECK (state IN ('drafted', 'in-force', 'terminated')),
        -- [{purpose, attributes[], ground}]
        purposes jsonb NOT NULL,
        highest_tier text NOT NULL,
        valid_from timestamptz NOT NULL,
        valid_until timestamptz NOT NULL,
        epoch bigint NOT NULL DEFAULT 0,
        company_signature jsonb,
        partner_signature jsonb,
        -- whether the shares of this agreement were asked to be made; waits for valid_from
        started boolean NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL DEFAULT now(),
        entered_at timestamptz,
        terminated_at timestamptz,
        termination_reason text
      );
      CREATE UNIQUE INDEX agreements_at_most_one_in_force ON agreements (recipient) WHERE state = 'in-force';
      CREATE INDEX agreements_by_recipient ON agreements (recipient);
    `);
  }

  /** Forward only: what was shared cannot be unshared by a migration. */
  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
