import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateObjections1763890000017 implements MigrationInterface {
  readonly name = 'CreateObjections1763890000017';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE objections (
        customer uuid NOT NULL,
        recipient text NOT NULL REFERENCES recipients (slug),
        purpose text NOT NULL,
        state text NOT NULL CHECK (state IN ('standing', 'withdrawn')),
        version integer NOT NULL,
        changed_at timestamptz NOT NULL,
        PRIMARY KEY (customer, recipient, purpose)
      );
      -- every state an objection ever had: the evidence is never overwritten
      CREATE TABLE objection_history (
        customer uuid NOT NULL,
        recipient text NOT NULL,
        purpose text NOT NULL,
        version integer NOT NULL,
        state text NOT NULL,
        at timestamptz NOT NULL,
        PRIMARY KEY (customer, recipient, purpose, version)
      );
    `);
  }

  /** Forward only: what was shared cannot be unshared by a migration. */
  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
