import { CreateTheLedger1763856000001 } from './0001-create-the-ledger.js';
import { KeepTheTree1763856000002 } from './0002-keep-the-tree.js';

/** The ledger's migrations, to be listed in partner-sharing's. */
export const ledgerMigrations = [CreateTheLedger1763856000001, KeepTheTree1763856000002];
