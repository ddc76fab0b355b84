import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateCustomerKeys1764000002001 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE customer_keys (
        customer uuid PRIMARY KEY,
        wrapped_data_key bytea NOT NULL,
        wrapped_ledger_key bytea NOT NULL,
        made_at timestamptz NOT NULL DEFAULT now(),
        in_use boolean NOT NULL DEFAULT false
      )`);
    // The sweep looks at each key once, however many customers there are.
    await queryRunner.query(`CREATE INDEX customer_keys_to_check ON customer_keys (made_at) WHERE NOT in_use`);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
