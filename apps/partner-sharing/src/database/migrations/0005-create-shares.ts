import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateShares1763890000005 implements MigrationInterface {
  readonly name = 'CreateShares1763890000005';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- what one recipient may hold of one customer; the subject id is the recipient's own name for the customer
      CREATE TABLE shares (
        id uuid PRIMARY KEY,
        customer uuid NOT NULL,
        recipient text NOT NULL REFERENCES recipients (slug),
        subject uuid NOT NULL UNIQUE,
        lane smallint NOT NULL CHECK (lane BETWEEN 0 AND 15),
        epoch bigint NOT NULL DEFAULT 0,
        -- of the feed's last settled record
        version integer NOT NULL DEFAULT 0,
        state text NOT NULL DEFAULT 'none' CHECK (state IN ('none', 'released', 'withdrawn', 'ended')),
        -- names, purposes and grounds on the feed, never a value: [{name, version, purposes: [{purpose, ground}]}]
        holds jsonb NOT NULL DEFAULT '[]',
        mailing text NOT NULL DEFAULT 'stopped',
        entry uuid,
        entry_index bigint,
        agreement uuid,
        record_at timestamptz,
        UNIQUE (customer, recipient)
      );
      CREATE INDEX shares_by_recipient ON shares (recipient, id);
    `);
  }

  /** Forward only: what was shared cannot be unshared by a migration. */
  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
