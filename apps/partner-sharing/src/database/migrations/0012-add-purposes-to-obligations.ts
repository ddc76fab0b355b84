import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AddPurposesToObligations1763890000012 implements MigrationInterface {
  readonly name = 'AddPurposesToObligations1763890000012';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- what stays for another purpose: [{purpose, attributes}], not to be used for that one any more
      ALTER TABLE obligations ADD COLUMN purposes jsonb NOT NULL DEFAULT '[]'
    `);
  }

  /** Forward only: what was shared cannot be unshared by a migration. */
  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
