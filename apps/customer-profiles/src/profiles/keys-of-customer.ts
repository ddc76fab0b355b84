import type { CustomerKeys } from '@castiron/encryption';
import { Refused } from '@castiron/failures';
import type { DataSource } from 'typeorm';
import type { KeyCustody } from '../key-custody/key-custody.js';
import { noSuchCustomer } from './no-such-customer.js';

const isThere = async (database: DataSource, customer: string): Promise<boolean> =>
  (await database.query<unknown[]>('SELECT FROM customers WHERE id = $1', [customer])).length > 0;

/**
 * The keys of a customer who is there.
 * @throws Refused where there is none, or no longer
 * @throws Error where the keys do not open
 */
export async function keysOfCustomer(
  database: DataSource,
  custody: KeyCustody,
  customer: string,
): Promise<CustomerKeys> {
  if (!(await isThere(database, customer))) throw new Refused(noSuchCustomer);
  const keys = (await custody.keysOf([customer])).get(customer);
  if (keys !== undefined) return keys;
  // Erased in between, a customer's keys are gone as they should be.
  if (!(await isThere(database, customer))) throw new Refused(noSuchCustomer);
  throw new Error('a customer has no keys in the key store that can be opened');
}
