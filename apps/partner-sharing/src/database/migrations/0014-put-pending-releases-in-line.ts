import type { MigrationInterface, QueryRunner } from 'typeorm';

/** One line for all: what was put off is due among what came since, and not after all of it. */
export class PutPendingReleasesInLine1763890000014 implements MigrationInterface {
  readonly name = 'PutPendingReleasesInLine1763890000014';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE pending_releases ALTER not_before SET DEFAULT clock_timestamp()');
  }

  /** Forward only: what was shared cannot be unshared by a migration. */
  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
