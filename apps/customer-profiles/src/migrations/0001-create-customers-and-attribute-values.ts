import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateCustomersAndAttributeValues1764000001001 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE customers (
        id uuid PRIMARY KEY,
        version integer NOT NULL CHECK (version >= 1),
        door text NOT NULL,
        purposes text[] NOT NULL,
        origin text NOT NULL CHECK (origin IN ('registered', 'imported')),
        statement_version integer NOT NULL,
        registered_at timestamptz NOT NULL
      )`);
    await queryRunner.query(`
      CREATE TABLE attribute_values (
        customer uuid NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
        name text NOT NULL,
        given_at_version integer NOT NULL,
        sealed bytea NOT NULL,
        PRIMARY KEY (customer, name)
      )`);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
