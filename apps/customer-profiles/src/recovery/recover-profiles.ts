import { customersProfiles } from '@castiron/contracts';
import type { Kafka } from '@castiron/kafka';
import type { Recovery } from '@castiron/service';
import type { Transactions } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import { destroyKeysOfErased } from '../erasures/destroy-keys/destroy-keys.js';
import type { KeyCustody } from '../key-custody/key-custody.js';
import { reapplyErasures } from './reapply-erasures.js';
import { reapplyProfiles } from './reapply-profiles.js';
import { customersWithoutKeys, revivedKeys } from './revived-keys.js';

interface Parts {
  readonly database: DataSource;
  readonly transactions: Transactions;
  readonly kafka: Kafka;
  readonly keys: () => { readonly keyStore: DataSource; readonly custody: KeyCustody };
}

/** How this service and its key store catch up once either was restored from a backup (G13). */
export const recoverProfiles = ({ database, transactions, kafka, keys }: Parts): Recovery => ({
  behind: async () => {
    const { keyStore } = keys();
    for await (const _revived of revivedKeys({ database, keyStore }))
      return 'the key store has keys that were destroyed';
    return undefined;
  },
  recover: async (records, log) => {
    const { keyStore, custody } = keys();
    // First: whoever was erased is not found again.
    await reapplyErasures({ dataSource: database, transactions, kafka }, log);
    log.phase('keys');
    for await (const revived of revivedKeys({ database, keyStore })) {
      log.count('keys destroyed again', revived.length);
      if (!log.dryRun) await custody.destroy(revived);
    }
    if (!log.dryRun) while ((await destroyKeysOfErased(database, custody)) > 0);
    await reapplyProfiles(transactions, records.get(customersProfiles.name) ?? [], log);
    const without = await customersWithoutKeys({ database, keyStore });
    if (without > 0)
      log.note(
        `Of ${without} customers the keys are lost: what they gave cannot be read any more, and nothing of it is disclosed.`,
      );
  },
});
