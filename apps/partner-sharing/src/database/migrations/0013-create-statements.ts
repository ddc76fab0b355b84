import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateStatements1763890000013 implements MigrationInterface {
  readonly name = 'CreateStatements1763890000013';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- the versions of the privacy statement that were published: no permission rests on another
      CREATE TABLE statements (version integer PRIMARY KEY)
    `);
  }

  /** Forward only: what was shared cannot be unshared by a migration. */
  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
