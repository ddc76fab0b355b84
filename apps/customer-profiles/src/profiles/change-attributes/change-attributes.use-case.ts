import { addCommand, lastWithdrawal, type Command } from '../../commands/command.table.js';
import { Refused, valueOf } from '@castiron/failures';
import type { IfMatch } from '@castiron/service';
import { type Transactions } from '@castiron/transactions';
import { type KeyCustody } from '../../key-custody/key-custody.js';
import { orderOfProfile, publications } from '../../publications.js';
import { type DataSource } from 'typeorm';
import { profileChangedOf, type SealedProfile } from '../profile.js';
import { keysOfCustomer } from '../keys-of-customer.js';
import { noSuchCustomer } from '../no-such-customer.js';
import { readProfile, replaceProfile } from '../profile.table.js';
import { openValues, sealValues } from '../sealed-values.js';
import { decideChange } from './change-attributes.decision.js';

const { profileChanged } = publications;

/** What came of a change; with a command where something was withdrawn, which is done once it can get onto no feed any more. */
export interface Change {
  readonly customer: string;
  readonly version: number;
  readonly command?: Command;
}

/** Changes, adds and withdraws attributes of one customer; every change is a new version and is published with it. */
export class ChangeAttributesUseCase {
  constructor(
    private readonly database: DataSource,
    private readonly transactions: Transactions,
    private readonly custody: KeyCustody,
  ) {}

  /** @param changes name to new value, as it came from outside; null withdraws */
  async change(customer: string, ifMatch: IfMatch, changes: Readonly<Record<string, unknown>>): Promise<Change> {
    // The key store is another database: it is asked before the transaction, which must not wait for it.
    const { dataKey } = await keysOfCustomer(this.database, this.custody, customer);
    return this.transactions.run([orderOfProfile(customer)], async (tx) => {
      const before = await readProfile(tx.manager, customer);
      if (before === undefined) throw new Refused(noSuchCustomer);
      ifMatch.assertStillAt(before.version);
      const { set, withdrawn } = valueOf(decideChange({ ...before, values: openValues(dataKey, before) }, changes));
      if (set.size === 0 && withdrawn.size === 0) return { customer, version: before.version };
      const version = before.version + 1;
      const kept = [...before.attributes].filter(([name]) => !withdrawn.has(name));
      const attributes = new Map([...kept, ...sealValues(dataKey, customer, version, set)]);
      const after: SealedProfile = { ...before, version, attributes };
      await replaceProfile(tx.manager, before, after);
      const command = withdrawn.size === 0 ? undefined : await addCommand(tx.manager, { kind: 'withdrawal', customer });
      const withdrawal = command?.id ?? (await lastWithdrawal(tx.manager, customer));
      tx.publish(
        profileChanged,
        { ...profileChangedOf(after), ...(withdrawal !== undefined && { withdrawal }) },
        { reserved: set.size === 0 },
      );
      return { customer, version, ...(command && { command }) };
    });
  }
}
