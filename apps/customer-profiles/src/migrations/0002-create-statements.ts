import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateStatements1764000001002 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE statements (
        version integer PRIMARY KEY CHECK (version >= 1),
        effective_from timestamptz NOT NULL,
        sha256 text NOT NULL,
        text text NOT NULL
      )`);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
