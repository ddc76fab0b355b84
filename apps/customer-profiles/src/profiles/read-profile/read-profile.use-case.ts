import { Refused } from '@castiron/failures';
import { type DataSource } from 'typeorm';
import { type KeyCustody } from '../../key-custody/key-custody.js';
import { keysOfCustomer } from '../keys-of-customer.js';
import { noSuchCustomer } from '../no-such-customer.js';
import type { Profile } from '../profile.js';
import { readProfile } from '../profile.table.js';
import { openValues } from '../sealed-values.js';

/** One customer's profile with its values in the clear. */
export class ReadProfileUseCase {
  constructor(
    private readonly database: DataSource,
    private readonly custody: KeyCustody,
  ) {}

  async read(customer: string): Promise<Profile> {
    const sealed = await readProfile(this.database.manager, customer);
    if (sealed === undefined) throw new Refused(noSuchCustomer);
    const { attributes: _sealed, ...facts } = sealed;
    const { dataKey } = await keysOfCustomer(this.database, this.custody, customer);
    return { ...facts, values: openValues(dataKey, sealed) };
  }
}
