import { newKey, unwrapKey, wrapKey, type CustomerKeys } from '@castiron/encryption';
import type { Logger } from '@castiron/observability';
import { BadSettings } from '@castiron/service';
import type { DataSource } from 'typeorm';

/** Binds a wrapped key to its customer and its use. */
const aadOf = (customer: string, use: 'data' | 'ledger') => `castiron/key/${use}/${customer}`;

/** More than one, so that a single damaged row does not keep the service down. */
const TRIED_AT_START = 10;

interface Row {
  readonly customer: string;
  readonly wrapped_data_key: Buffer;
  readonly wrapped_ledger_key: Buffer;
}

/**
 * Two keys per customer, wrapped by the key-encryption key, in a database of their own that stays out of the customers'
 * backups: destroying the row makes every copy of what they sealed unreadable.
 */
export class KeyCustody {
  constructor(
    private readonly keyStore: DataSource,
    private readonly keyEncryptionKey: Buffer,
    private readonly logger: Logger,
  ) {}

  /**
   * New customers' keys must not be wrapped under another key than those of the customers that are there.
   * @throws BadSettings where the key store holds keys, and none of those tried opens
   */
  async refuseWrongKey(): Promise<void> {
    const rows: Row[] = await this.keyStore.query(
      `SELECT customer, wrapped_data_key, wrapped_ledger_key FROM customer_keys ORDER BY customer LIMIT $1`,
      [TRIED_AT_START],
    );
    if (rows.length === 0 || rows.some((row) => this.opened(row) !== undefined)) return;
    throw new BadSettings([
      `KEY_ENCRYPTION_KEY_FILE must hold the key under which the key store's keys were wrapped, and of ${rows.length} ` +
        `tried it opens none: put that key back, or let KEYSTORE_URL lead to the key store of this one`,
    ]);
  }

  /**
   * Makes keys for new customers. They are committed when this resolves, hence before the customers themselves: a
   * crash in between leaves keys without a customer, which are swept, and never a customer without keys.
   */
  async create(customers: readonly string[]): Promise<ReadonlyMap<string, CustomerKeys>> {
    const made = new Map(customers.map((customer) => [customer, { dataKey: newKey(), ledgerKey: newKey() }]));
    if (made.size === 0) return made;
    const entries = [...made];
    await this.keyStore.query(
      `INSERT INTO customer_keys (customer, wrapped_data_key, wrapped_ledger_key)
       SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::bytea[])`,
      [
        entries.map(([customer]) => customer),
        entries.map(([customer, { dataKey }]) => wrapKey(this.keyEncryptionKey, dataKey, aadOf(customer, 'data'))),
        entries.map(([customer, { ledgerKey }]) =>
          wrapKey(this.keyEncryptionKey, ledgerKey, aadOf(customer, 'ledger')),
        ),
      ],
    );
    return made;
  }

  /** Customers without keys (unknown, or erased), and those whose keys cannot be opened, are missing from the answer. */
  async keysOf(customers: readonly string[]): Promise<ReadonlyMap<string, CustomerKeys>> {
    const rows: Row[] = await this.keyStore.query(
      `SELECT customer, wrapped_data_key, wrapped_ledger_key FROM customer_keys WHERE customer = ANY($1::uuid[])`,
      [customers],
    );
    const found = new Map<string, CustomerKeys>();
    for (const row of rows) {
      const keys = this.opened(row);
      if (keys !== undefined) found.set(row.customer, keys);
    }
    const count = rows.length - found.size;
    if (count > 0) this.logger.error({ count }, 'keys cannot be opened: their rows are damaged, or of another key');
    return found;
  }

  /** For good: whatever their keys sealed stays so, wherever it is. */
  async destroy(customers: readonly string[]): Promise<void> {
    await this.keyStore.query('DELETE FROM customer_keys WHERE customer = ANY($1::uuid[])', [customers]);
  }

  /** undefined: damaged, another customer's, or wrapped under another key-encryption key. */
  private opened({ customer, wrapped_data_key, wrapped_ledger_key }: Row): CustomerKeys | undefined {
    try {
      return {
        dataKey: unwrapKey(this.keyEncryptionKey, wrapped_data_key, aadOf(customer, 'data')),
        ledgerKey: unwrapKey(this.keyEncryptionKey, wrapped_ledger_key, aadOf(customer, 'ledger')),
      };
    } catch {
      return undefined;
    }
  }
}
