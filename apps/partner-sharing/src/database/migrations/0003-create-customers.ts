import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateCustomers1763890000003 implements MigrationInterface {
  readonly name = 'CreateCustomers1763890000003';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- a copy of customers.profiles.v1: the values stay sealed under the customer's data key
      CREATE TABLE customers (
        id uuid PRIMARY KEY,
        version integer NOT NULL,
        door text NOT NULL,
        purposes jsonb NOT NULL,
        origin text NOT NULL,
        statement_version integer NOT NULL,
        registered_at timestamptz NOT NULL,
        -- {name: {version, sealed}}
        attributes jsonb NOT NULL,
        epoch bigint NOT NULL DEFAULT 0,
        -- deleted: no attribute is left, only the version that must not go back
        deleted boolean NOT NULL DEFAULT false
      );
    `);
  }

  /** Forward only: what was shared cannot be unshared by a migration. */
  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
