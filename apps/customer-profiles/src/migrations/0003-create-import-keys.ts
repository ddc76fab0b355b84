import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateImportKeys1764000001003 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    // No foreign key: that a customer number was here must be able to outlive its customer.
    await queryRunner.query(`
      CREATE TABLE import_keys (
        door text NOT NULL,
        digest bytea NOT NULL,
        customer uuid NOT NULL,
        PRIMARY KEY (door, digest)
      )`);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
