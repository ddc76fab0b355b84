import type { MigrationInterface, QueryRunner } from 'typeorm';

export class KeepWhatEntriesWereDecidedOn1763890000020 implements MigrationInterface {
  readonly name = 'KeepWhatEntriesWereDecidedOn1763890000020';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- {agreementEpoch, permissions: {purpose: version}, objections: {purpose: version}, customer: {version, door, purposes, held}};
      -- null: decided before this was kept, of an erased customer, or no decision
      ALTER TABLE share_entries ADD COLUMN decided_on jsonb
    `);
  }

  /** Forward only: what was shared cannot be unshared by a migration. */
  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
