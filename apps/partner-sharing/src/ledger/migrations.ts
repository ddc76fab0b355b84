import type { MigrationInterface } from 'typeorm';

/** The ledger's migrations, to be listed in partner-sharing's. */
export const ledgerMigrations: (new () => MigrationInterface)[] = [];
