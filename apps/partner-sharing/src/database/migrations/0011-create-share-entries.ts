import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateShareEntries1763890000011 implements MigrationInterface {
  readonly name = 'CreateShareEntries1763890000011';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- which ledger entry is about which share: the ledger itself names neither customer nor subject
      CREATE TABLE share_entries (
        entry uuid PRIMARY KEY,
        share uuid NOT NULL REFERENCES shares (id),
        index bigint NOT NULL,
        kind text NOT NULL,
        version integer,
        agreement uuid,
        -- [{name, purposes: [{purpose, ground}]}]
        attributes jsonb NOT NULL,
        at timestamptz NOT NULL
      )
    `);
    await runner.query('CREATE INDEX share_entries_by_share ON share_entries (share, index)');
  }

  /** Forward only: what was shared cannot be unshared by a migration. */
  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
