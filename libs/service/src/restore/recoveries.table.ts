import { randomUUID } from 'node:crypto';
import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm';
import type { RecoveryReport } from './recovery-run.js';

class KeepRecoveries1763900000002 implements MigrationInterface {
  readonly name = 'KeepRecoveries1763900000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- what was re-applied after a backup was restored; no personal data
      CREATE TABLE recoveries (
        id uuid PRIMARY KEY,
        place bigint GENERATED ALWAYS AS IDENTITY,
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        report jsonb NOT NULL
      )`);
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

export const recoveryMigrations = [KeepRecoveries1763900000002];

export async function keepRecovery(dataSource: DataSource, report: RecoveryReport): Promise<void> {
  await dataSource.query('INSERT INTO recoveries (id, report) VALUES ($1, $2)', [randomUUID(), JSON.stringify(report)]);
}

/** The last one of this database; undefined where there was none. */
export async function lastRecovery(
  dataSource: DataSource,
): Promise<{ readonly id: string; readonly report: RecoveryReport } | undefined> {
  const rows = await dataSource.query<{ id: string; report: RecoveryReport }[]>(
    'SELECT id, report FROM recoveries ORDER BY place DESC LIMIT 1',
  );
  return rows[0];
}
