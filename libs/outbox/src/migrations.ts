import type { MigrationInterface } from 'typeorm';

/** To be listed in each service's DataSource. */
export const outboxMigrations: (new () => MigrationInterface)[] = [];
