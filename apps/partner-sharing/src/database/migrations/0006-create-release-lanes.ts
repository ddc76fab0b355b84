import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateReleaseLanes1763890000006 implements MigrationInterface {
  readonly name = 'CreateReleaseLanes1763890000006';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE feed_lanes (
        lane smallint PRIMARY KEY CHECK (lane BETWEEN 0 AND 15),
        token bigint NOT NULL DEFAULT 0,
        owner uuid,
        lease_until timestamptz NOT NULL DEFAULT '-infinity'
      );
      INSERT INTO feed_lanes (lane) SELECT generate_series(0, 15);

      -- a share whose record must be made anew; it carries no payload, since what is sent is decided when it is sent
      CREATE TABLE pending_releases (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        lane smallint NOT NULL,
        share uuid NOT NULL,
        cause text NOT NULL,
        not_before timestamptz NOT NULL DEFAULT '-infinity',
        at timestamptz NOT NULL DEFAULT clock_timestamp()
      );
      CREATE INDEX pending_releases_by_lane ON pending_releases (lane, not_before, id);
      CREATE INDEX pending_releases_by_share ON pending_releases (share);

      -- a record handed to Kafka and not yet known to be committed; the fence waits for these rows
      CREATE TABLE sending_records (
        share uuid PRIMARY KEY,
        lane smallint NOT NULL,
        token bigint NOT NULL,
        batch uuid NOT NULL,
        entry uuid NOT NULL,
        customer uuid NOT NULL,
        agreement uuid,
        agreement_epoch bigint NOT NULL,
        customer_epoch bigint NOT NULL,
        share_epoch bigint NOT NULL,
        -- what the share will be once the batch is settled (no values)
        outcome jsonb NOT NULL,
        at timestamptz NOT NULL DEFAULT clock_timestamp()
      );
      CREATE INDEX sending_records_by_lane ON sending_records (lane, batch);
      CREATE INDEX sending_records_by_agreement ON sending_records (agreement);
      CREATE INDEX sending_records_by_customer ON sending_records (customer);
    `);
  }

  /** Forward only: what was shared cannot be unshared by a migration. */
  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
