import type { MigrationInterface, QueryRunner } from 'typeorm';

export class WriteMailingsInSteps1764000004005 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE mailings ADD COLUMN written_to uuid, ADD COLUMN written_at timestamptz');
    // Those that are there were written at once.
    await runner.query('UPDATE mailings SET written_at = created_at');
    await runner.query('CREATE INDEX mailings_to_write ON mailings (created_at) WHERE written_at IS NULL');
    // A notice is owed and must not stand behind a mailing to everybody.
    await runner.query('DROP INDEX mails_queued');
    await runner.query(`CREATE INDEX mails_queued ON mails ((kind = 'mailing'), due_at) WHERE status = 'queued'`);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
