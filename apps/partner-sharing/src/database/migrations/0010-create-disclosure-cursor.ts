import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateDisclosureCursor1763890000010 implements MigrationInterface {
  readonly name = 'CreateDisclosureCursor1763890000010';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- how far the ledger was announced on sharing.disclosures.v1
      CREATE TABLE disclosure_cursor (
        singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
        next_index bigint NOT NULL DEFAULT 0
      );
      INSERT INTO disclosure_cursor DEFAULT VALUES;
    `);
  }

  /** Forward only: what was shared cannot be unshared by a migration. */
  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
