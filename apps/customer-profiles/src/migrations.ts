import type { Migration } from '@castiron/service';
import { CreateCustomerKeys1764000002001 } from './key-custody/migrations/0001-create-customer-keys.js';
import { CreateCustomersAndAttributeValues1764000001001 } from './migrations/0001-create-customers-and-attribute-values.js';
import { CreateStatements1764000001002 } from './migrations/0002-create-statements.js';
import { CreateImportKeys1764000001003 } from './migrations/0003-create-import-keys.js';
import { CreateCommandsAndErasures1764000001004 } from './migrations/0004-create-commands-and-erasures.js';

/** The customers' database; outbox, inbox and idempotency bring their own. */
export const migrations: readonly Migration[] = [
  CreateCustomersAndAttributeValues1764000001001,
  CreateStatements1764000001002,
  CreateImportKeys1764000001003,
  CreateCommandsAndErasures1764000001004,
];

/** The key store. */
export const keyStoreMigrations: readonly Migration[] = [CreateCustomerKeys1764000002001];
