import type { MigrationInterface, QueryRunner } from 'typeorm';

export class LetMailsEndInDoubt1764000004007 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // Told once, it is known to each later try: the mail server has the mail already, and gave no answer.
    await runner.query(`
      ALTER TABLE mails
        ADD COLUMN in_doubt boolean NOT NULL DEFAULT false,
        DROP CONSTRAINT mails_status_check,
        ADD CONSTRAINT mails_status_check CHECK (status IN
          ('waiting', 'queued', 'sending', 'sent', 'no-address', 'cancelled', 'failed', 'expired', 'in-doubt'))`);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
