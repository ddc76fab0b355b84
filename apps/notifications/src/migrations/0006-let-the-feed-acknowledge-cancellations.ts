import type { MigrationInterface, QueryRunner } from 'typeorm';

export class LetTheFeedAcknowledgeCancellations1764000004006 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // Whether partner-sharing knows of one is told by each record, and no more guessed from the records before it.
    await runner.query('ALTER TABLE cancellations DROP COLUMN version, DROP COLUMN feed_stopped');
    // One that was lifted is kept, so that the next one is later than it, whatever the clock says.
    await runner.query('ALTER TABLE cancellations ADD COLUMN lifted boolean NOT NULL DEFAULT false');
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
