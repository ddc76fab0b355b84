import { feeds, sharingAgreements, sharingPermissions } from '@castiron/contracts';
import type { Kafka } from '@castiron/kafka';
import type { NoteSigner } from '@castiron/ledger';
import type { Recovery, RecoveryLog } from '@castiron/service';
import type { Transactions } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import type { PartnerSharing } from '../partner-sharing.js';
import { allRecipients } from '../recipients/recipient.table.js';
import { completeLedger } from './complete-ledger.js';
import { ledgerBehind } from './published-heads.js';
import { raiseShares } from './raise-shares.js';
import { reapplyAgreements } from './reapply-agreements.js';
import { reapplyObjections } from './reapply-objections.js';
import { reapplyPermissions } from './reapply-permissions.js';
import { replayCustomers } from './replay-customers.js';

interface Parts {
  readonly dataSource: DataSource;
  readonly transactions: Transactions;
  readonly kafka: Kafka;
  readonly signer: NoteSigner;
  readonly sharing: () => PartnerSharing;
}

/** How this service catches up once its database was restored from a backup (G13): in an order in which nothing is widened. */
export const recoverSharing = ({ dataSource, transactions, kafka, signer, sharing }: Parts): Recovery => ({
  behind: () => ledgerBehind({ dataSource, kafka }, signer),
  recover: async (records, log) => {
    const { signals, keepProfile, forgetKeys } = sharing();
    const ledger = await completeLedger(dataSource, records, signer, log);
    const told = records.get(sharingPermissions.name) ?? [];
    await reapplyAgreements(transactions, records.get(sharingAgreements.name) ?? [], log);
    await replayCustomers({ dataSource, transactions, kafka, signals, keepProfile, forgetKeys }, log);
    await reapplyObjections(transactions, told, log);
    await reapplyPermissions(transactions, told, log);
    await raiseShares({ dataSource, transactions, kafka, signals }, ledger, log);
    await nameForgottenRecipients(dataSource, kafka, log);
  },
});

/** Who was registered in the lost time keeps a feed to which nobody writes any more. */
async function nameForgottenRecipients(dataSource: DataSource, kafka: Kafka, log: RecoveryLog): Promise<void> {
  const known = new Set((await allRecipients(dataSource.manager)).map(({ slug }) => slug));
  const admin = kafka.admin();
  try {
    for (const topic of await admin.topicNames()) {
      const slug = feeds.slugOf(topic);
      if (slug !== undefined && !known.has(slug))
        log.note(
          `The recipient ${slug} is not known any more: register it under another slug, and delete the topics of this one.`,
        );
    }
  } finally {
    await admin.close();
  }
}
