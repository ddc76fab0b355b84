import { randomUUID } from 'node:crypto';
import { valueOf } from '@castiron/failures';
import { type Transactions } from '@castiron/transactions';
import { type DataSource, type EntityManager } from 'typeorm';
import { type KeyCustody } from '../../key-custody/key-custody.js';
import { profileChangedOf, type SealedProfile } from '../../profiles/profile.js';
import { insertProfiles } from '../../profiles/profile.table.js';
import { sealValues } from '../../profiles/sealed-values.js';
import { orderOfProfile, publications } from '../../publications.js';
import { versionInEffect } from '../../statements/statement.table.js';
import { decideRegistration, type RegisterCustomer } from './register-customer.decision.js';

const { profileChanged } = publications;

export interface Registered {
  readonly customer: string;
  readonly version: number;
}

/** Registers one customer: keys first, then customer and event in one transaction. */
export class RegisterCustomerUseCase {
  constructor(
    private readonly database: DataSource,
    private readonly transactions: Transactions,
    private readonly custody: KeyCustody,
  ) {}

  /** @param withEffect runs in the transaction, so that what it writes stands if and only if the customer does */
  async register(
    command: RegisterCustomer,
    withEffect: (manager: EntityManager, registered: Registered) => Promise<void>,
  ): Promise<Registered> {
    const now = new Date();
    const facts = { statementVersion: await versionInEffect(this.database.manager, now) };
    const { values, ...profile } = valueOf(decideRegistration(facts, command, randomUUID(), now));
    const { customer, version } = profile;
    const keys = (await this.custody.create([customer])).get(customer);
    if (keys === undefined) throw new Error('key custody made no keys');
    const sealed: SealedProfile = { ...profile, attributes: sealValues(keys.dataKey, customer, version, values) };
    await this.transactions.run([orderOfProfile(customer)], async (tx) => {
      await insertProfiles(tx.manager, [sealed]);
      tx.publish(profileChanged, profileChangedOf(sealed));
      await withEffect(tx.manager, { customer, version });
    });
    return { customer, version };
  }
}
