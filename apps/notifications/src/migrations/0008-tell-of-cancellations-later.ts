import type { MigrationInterface, QueryRunner } from 'typeorm';

export class TellOfCancellationsLater1764000004008 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // Not so where one came again while the outbox had no room for it: it stands, and is told of once there is.
    await runner.query('ALTER TABLE cancellations ADD COLUMN told boolean NOT NULL DEFAULT true');
    await runner.query('CREATE INDEX cancellations_to_tell_of ON cancellations (subject) WHERE NOT told');
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
