import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ReportFencesOfCustomers1763890000016 implements MigrationInterface {
  readonly name = 'ReportFencesOfCustomers1763890000016';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- what customer-profiles told of may come before the profile itself, which is on another topic
      CREATE TABLE erased_customers (
        id uuid PRIMARY KEY
      );

      -- a command of another service, which is to hear when its fence stands
      ALTER TABLE commands ADD COLUMN reported boolean NOT NULL DEFAULT false;
      ALTER TABLE commands ADD CONSTRAINT commands_reported CHECK (NOT reported OR scope = 'customer');
      CREATE INDEX commands_to_report ON commands (created_at, id) WHERE reported AND done_at IS NULL;
    `);
  }

  /** Forward only: what was shared cannot be unshared by a migration. */
  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
