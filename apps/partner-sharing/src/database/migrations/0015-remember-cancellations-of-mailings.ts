import type { MigrationInterface, QueryRunner } from 'typeorm';

export class RememberCancellationsOfMailings1763890000015 implements MigrationInterface {
  readonly name = 'RememberCancellationsOfMailings1763890000015';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- the last cancellation of mailings that the recipient reported; each record says that it was made with it
      ALTER TABLE shares ADD COLUMN mailing_cancelled_at timestamptz
    `);
  }

  /** Forward only: what was shared cannot be unshared by a migration. */
  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
