import type { MigrationInterface, QueryRunner } from 'typeorm';

export class LetWaitingNoticesExpire1764000004004 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE mails
        DROP CONSTRAINT mails_status_check,
        ADD CONSTRAINT mails_status_check CHECK (
          status IN ('waiting', 'queued', 'sending', 'sent', 'no-address', 'cancelled', 'failed', 'expired'))`);
    await runner.query(`CREATE INDEX mails_waiting ON mails (created_at) WHERE status = 'waiting'`);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
