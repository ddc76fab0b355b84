import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateRecipients1763890000001 implements MigrationInterface {
  readonly name = 'CreateRecipients1763890000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE recipients (
        slug text PRIMARY KEY,
        name text NOT NULL,
        kind text NOT NULL,
        -- registered purposes of an internal recipient: [{purpose, attributes[]}]; null for partners
        purposes jsonb,
        created_at timestamptz NOT NULL DEFAULT now(),
        -- when its topics, user and access rules stood; null: to be tried again
        provisioned_at timestamptz
      );
    `);
  }

  /** Forward only: what was shared cannot be unshared by a migration. */
  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
