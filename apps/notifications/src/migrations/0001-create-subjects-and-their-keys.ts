import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateSubjectsAndTheirKeys1764000004001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // The row outlives the data: without the version, a late record would revive what was withdrawn.
    await runner.query(`
      CREATE TABLE subjects (
        subject uuid PRIMARY KEY,
        version integer NOT NULL,
        floor integer NOT NULL,
        deleted boolean NOT NULL,
        mailing text NOT NULL CHECK (mailing IN ('allowed', 'stopped')),
        notice_address boolean NOT NULL,
        mailing_address boolean NOT NULL,
        sealed bytea
      )`);
    await runner.query(
      `CREATE INDEX subjects_that_may_be_mailed ON subjects (subject) WHERE mailing = 'allowed' AND mailing_address`,
    );
    await runner.query(`
      CREATE TABLE subject_keys (
        subject uuid PRIMARY KEY REFERENCES subjects (subject),
        wrapped bytea NOT NULL
      )`);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
