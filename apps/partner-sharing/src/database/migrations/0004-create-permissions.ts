import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreatePermissions1763890000004 implements MigrationInterface {
  readonly name = 'CreatePermissions1763890000004';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE permissions (
        customer uuid NOT NULL,
        recipient text NOT NULL REFERENCES recipients (slug),
        purpose text NOT NULL,
        -- a revoked permission is an objection to cooperation too
        state text NOT NULL CHECK (state IN ('granted', 'revoked')),
        version integer NOT NULL,
        how text,
        given_at timestamptz,
        statement_version integer NOT NULL,
        changed_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (customer, recipient, purpose)
      );
      -- every state a permission ever had: the evidence is never overwritten
      CREATE TABLE permission_history (
        customer uuid NOT NULL,
        recipient text NOT NULL,
        purpose text NOT NULL,
        version integer NOT NULL,
        state text NOT NULL,
        how text,
        given_at timestamptz,
        statement_version integer NOT NULL,
        at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (customer, recipient, purpose, version)
      );
    `);
  }

  /** Forward only: what was shared cannot be unshared by a migration. */
  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
