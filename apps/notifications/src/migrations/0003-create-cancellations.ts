import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateCancellations1764000004003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // No foreign key: a link of a mail sent long ago still cancels.
    await runner.query(`
      CREATE TABLE cancellations (
        subject uuid PRIMARY KEY,
        at timestamptz NOT NULL,
        version integer NOT NULL,
        feed_stopped boolean NOT NULL
      )`);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
