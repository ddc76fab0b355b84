import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateCommandsAndErasures1764000001004 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    // What takes away, and is done once partner-sharing says that nothing of it can get onto a feed any more.
    await queryRunner.query(`
      CREATE TABLE commands (
        id uuid PRIMARY KEY,
        kind text NOT NULL CHECK (kind IN ('withdrawal', 'erasure')),
        customer uuid NOT NULL,
        -- In the order in which they were given.
        place bigint GENERATED ALWAYS AS IDENTITY,
        asked_at timestamptz NOT NULL,
        fence_stood_at timestamptz
      )`);
    await queryRunner.query(`CREATE INDEX commands_by_customer ON commands (customer, place)`);
    // No foreign key: this outlives its customer.
    await queryRunner.query(`
      CREATE TABLE erasures (
        customer uuid PRIMARY KEY,
        command uuid NOT NULL REFERENCES commands (id),
        keys_destroyed_at timestamptz
      )`);
    await queryRunner.query(`CREATE INDEX erasures_with_keys ON erasures (customer) WHERE keys_destroyed_at IS NULL`);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
