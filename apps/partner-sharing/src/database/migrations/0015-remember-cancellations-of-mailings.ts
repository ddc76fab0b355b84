import type { MigrationInterface, QueryRunner } from 'typeorm';

export class RememberCancellationsOfMailings1763890000015 implements MigrationInterface {
  readonly name = 'RememberCancellationsOfMailings1763890000015';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- the last cancellation of mailings that the recipient reported; each record says that it was made with it
      ALTER TABLE shares ADD COLUMN mailing_cancelled_at timestamptz;

      -- A cancellation took the permission back, no sooner than it came; what was permitted since knew of it, and must say so.
      UPDATE shares s SET mailing_cancelled_at = r.at
        FROM (SELECT customer, max(at) AS at FROM permission_history
               WHERE recipient = 'notifications' AND purpose = 'mailing' AND state = 'revoked' GROUP BY customer) r
       WHERE s.customer = r.customer AND s.recipient = 'notifications';
      INSERT INTO pending_releases (lane, share, cause)
        SELECT lane, id, 'resync-requested' FROM shares WHERE mailing_cancelled_at IS NOT NULL;
    `);
  }

  /** Forward only: what was shared cannot be unshared by a migration. */
  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
