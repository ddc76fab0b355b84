import type { MigrationInterface, QueryRunner } from 'typeorm';

export class LetTheFeedAcknowledgeCancellations1764000004006 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // Whether partner-sharing knows of one is told by each record, and no more guessed from the records before it.
    await runner.query('ALTER TABLE cancellations DROP COLUMN version, DROP COLUMN feed_stopped');
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
