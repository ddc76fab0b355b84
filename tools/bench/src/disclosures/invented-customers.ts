import { createHash, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ATTRIBUTE_NAMES, DOORS, type AttributeName } from '@castiron/contracts';
import { attributeAad, newKey, seal, wrapKey } from '@castiron/encryption';
import type { Stack } from '@castiron/local-stack';
import { hashBits } from '@castiron/transactions';
import { connectedTo } from './connected-to.js';

/** What each recipient may have of each customer, by a permission for each purpose: four attributes a record. */
export const PURPOSES = [
  { purpose: 'invoicing', attributes: ['companyName', 'registeredAddress', 'servicesUsed'], ground: 'permission' },
  { purpose: 'recommendation', attributes: ['companyName', 'servicesUsed', 'email'], ground: 'permission' },
] as const;

/** The attribute that changes. */
export const CHANGED: AttributeName = 'companyName';

export interface InventedCustomer {
  readonly id: string;
  readonly dataKey: Buffer;
  /** Of the profile. */
  version: number;
}

/** As hard to compress as what people write is not; 20 to 60 characters, the same for the same customer and version. */
const valueOf = (name: AttributeName, customer: string, version: number): string =>
  `${name} of ${createHash('sha256').update(`${name} ${customer} ${version}`).digest('hex').slice(0, 32)}`;

export const sealedOf = (name: AttributeName, { id, dataKey }: InventedCustomer, version: number): string =>
  seal(dataKey, valueOf(name, id, version), attributeAad(id, name, version)).toString('base64');

const LANES = 16;
const CHUNK = 1_000;

/** What is on the feed of a share once its first record is settled. */
const HOLDS = ATTRIBUTE_NAMES.flatMap((name) => {
  const purposes = PURPOSES.filter(({ attributes }) => (attributes as readonly string[]).includes(name));
  return purposes.length === 0
    ? []
    : [{ name, version: 1, purposes: purposes.map(({ purpose, ground }) => ({ purpose, ground })) }];
});

/** What a customer has given. */
export const HELD = HOLDS.map(({ name }) => name);

/**
 * Puts customers with keys, sealed profiles, permissions and shares where the services would have put them, each with a first
 * record behind it: to bring so many in through the routes would take longer than all that is measured.
 */
export async function inventCustomers(
  { postgres, dataDir }: Stack,
  count: number,
  recipients: readonly string[],
): Promise<readonly InventedCustomer[]> {
  const keyEncryptionKey = Buffer.from(await readFile(join(dataDir, 'key-encryption.key'), 'utf8'), 'base64');
  const made: InventedCustomer[] = [];
  await connectedTo(postgres['customer-keys'], (keys) =>
    connectedTo(postgres['partner-sharing'], async (sharing) => {
      while (made.length < count) {
        const some = Array.from({ length: Math.min(CHUNK, count - made.length) }, () => ({
          id: randomUUID(),
          dataKey: newKey(),
          version: 1,
        }));
        const ids = some.map(({ id }) => id);
        const wrapped = (use: 'data' | 'ledger', key: Buffer, id: string) =>
          wrapKey(keyEncryptionKey, key, `castiron/key/${use}/${id}`);
        await keys.query(
          `INSERT INTO customer_keys (customer, wrapped_data_key, wrapped_ledger_key, in_use)
           SELECT *, true FROM unnest($1::uuid[], $2::bytea[], $3::bytea[])`,
          [
            ids,
            some.map(({ id, dataKey }) => wrapped('data', dataKey, id)),
            ids.map((id) => wrapped('ledger', newKey(), id)),
          ],
        );
        await sharing.query(
          `INSERT INTO customers (id, version, door, purposes, origin, statement_version, registered_at, attributes)
           SELECT id, 1, 'service-order', $3, 'imported', 1, now(), attributes FROM unnest($1::uuid[], $2::jsonb[]) AS n (id, attributes)`,
          [
            ids,
            some.map((one) =>
              JSON.stringify(
                Object.fromEntries(HOLDS.map(({ name }) => [name, { version: 1, sealed: sealedOf(name, one, 1) }])),
              ),
            ),
            JSON.stringify(DOORS['service-order']),
          ],
        );
        for (const recipient of recipients) {
          await sharing.query(
            `INSERT INTO permissions (customer, recipient, purpose, state, version, how, given_at, statement_version)
             SELECT id, $2, purpose, 'granted', 1, 'bench', now(), 1 FROM unnest($1::uuid[]) AS id, unnest($3::text[]) AS purpose`,
            [ids, recipient, PURPOSES.map(({ purpose }) => purpose)],
          );
          const subjects = ids.map(() => randomUUID());
          await sharing.query(
            `INSERT INTO shares (id, customer, recipient, subject, lane, version, state, holds, record_at)
             SELECT gen_random_uuid(), customer, $2, subject, lane, 1, 'released', $5, now()
             FROM unnest($1::uuid[], $3::uuid[], $4::smallint[]) AS n (customer, subject, lane)`,
            [
              ids,
              recipient,
              subjects,
              subjects.map((subject) => Number(hashBits(subject, 8)) % LANES),
              JSON.stringify(HOLDS),
            ],
          );
        }
        made.push(...some);
      }
      await sharing.query('ANALYZE customers, permissions, shares');
    }),
  );
  return made;
}
