import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Answers to requests that carried an `Idempotency-Key`. Holds no readable key, body or answer. */
export class KeepAnswersOfRepeatedRequests1763900000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE http_idempotency (
        id bytea PRIMARY KEY,
        fingerprint bytea NOT NULL,
        holder uuid NOT NULL,
        held_until timestamptz NOT NULL,
        effect boolean NOT NULL DEFAULT false,
        answer bytea,
        expires_at timestamptz NOT NULL
      )`);
    await runner.query('CREATE INDEX http_idempotency_by_expiry ON http_idempotency (expires_at)');
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}

/** To be listed among the migrations of each service that keeps answers. */
export const idempotencyMigrations = [KeepAnswersOfRepeatedRequests1763900000001];
