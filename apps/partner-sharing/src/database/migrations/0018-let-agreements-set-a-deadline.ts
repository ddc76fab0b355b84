import type { MigrationInterface, QueryRunner } from 'typeorm';

export class LetAgreementsSetADeadline1763890000018 implements MigrationInterface {
  readonly name = 'LetAgreementsSetADeadline1763890000018';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- how long the recipient has to delete what is withdrawn, and to confirm
      ALTER TABLE agreements ADD COLUMN days_to_delete integer NOT NULL DEFAULT 30 CHECK (days_to_delete BETWEEN 1 AND 90);
    `);
  }

  /** Forward only: what was shared cannot be unshared by a migration. */
  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
