import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateCommands1763890000009 implements MigrationInterface {
  readonly name = 'CreateCommands1763890000009';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- a command answered 202: done once no send of an older epoch is under way
      CREATE TABLE commands (
        id uuid PRIMARY KEY,
        kind text NOT NULL,
        customer uuid,
        scope text NOT NULL CHECK (scope IN ('agreement', 'customer', 'share')),
        target uuid NOT NULL,
        epoch bigint NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        done_at timestamptz
      );
    `);
  }

  /** Forward only: what was shared cannot be unshared by a migration. */
  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
