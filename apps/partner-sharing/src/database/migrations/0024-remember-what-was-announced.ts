import type { MigrationInterface, QueryRunner } from 'typeorm';

export class RememberWhatWasAnnounced1763890000024 implements MigrationInterface {
  readonly name = 'RememberWhatWasAnnounced1763890000024';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- which transaction announced the ledger up to where: whether the relay has sent that, its lanes tell
      CREATE TABLE disclosures_announced (
        next_index bigint NOT NULL,
        xid xid8 NOT NULL
      )
    `);
    await runner.query(`
      -- heads with our signature that are of another tree: a restored database signed them before anybody looked
      CREATE TABLE ledger_heads_disowned (
        size bigint NOT NULL,
        root bytea NOT NULL,
        PRIMARY KEY (size, root)
      )
    `);
  }

  /** Forward only: what was shared cannot be unshared by a migration. */
  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
