import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateMailsAndMailings1764000004002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE mailings (
        id uuid PRIMARY KEY,
        subject text NOT NULL,
        body text NOT NULL,
        ordered_by text NOT NULL,
        created_at timestamptz NOT NULL
      )`);
    // No address and no text: both are put together from the subject's copy at the moment of sending.
    await runner.query(`
      CREATE TABLE mails (
        id uuid PRIMARY KEY,
        subject uuid NOT NULL,
        kind text NOT NULL CHECK (kind IN ('welcome', 'sharing-started', 'sharing-ended', 'mailing')),
        notice uuid UNIQUE,
        mailing uuid REFERENCES mailings (id),
        about text,
        status text NOT NULL
          CHECK (status IN ('waiting', 'queued', 'sending', 'sent', 'no-address', 'cancelled', 'failed')),
        reason text,
        attempts integer NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        claim uuid,
        claimed_at timestamptz,
        settled_at timestamptz,
        CHECK ((kind = 'mailing') = (mailing IS NOT NULL)),
        CHECK ((kind = 'mailing') = (notice IS NULL)),
        UNIQUE (mailing, subject)
      )`);
    await runner.query(`CREATE INDEX mails_queued ON mails (due_at) WHERE status = 'queued'`);
    await runner.query(`CREATE INDEX mails_sending ON mails (claimed_at) WHERE status = 'sending'`);
    await runner.query(
      `CREATE INDEX mails_open_by_subject ON mails (subject) WHERE status IN ('waiting', 'queued', 'sending')`,
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
