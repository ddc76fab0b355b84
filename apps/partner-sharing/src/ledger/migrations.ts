import { CreateTheLedger1763856000001 } from './0001-create-the-ledger.js';

/** The ledger's migrations, to be listed in partner-sharing's. */
export const ledgerMigrations = [CreateTheLedger1763856000001];
