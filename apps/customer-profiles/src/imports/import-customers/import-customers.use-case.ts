import { randomUUID } from 'node:crypto';
import type { DoorName } from '@castiron/contracts';
import { type Transactions } from '@castiron/transactions';
import { type DataSource } from 'typeorm';
import { type KeyCustody } from '../../key-custody/key-custody.js';
import { profileChangedOf, type SealedProfile } from '../../profiles/profile.js';
import { insertProfiles } from '../../profiles/profile.table.js';
import { sealValues } from '../../profiles/sealed-values.js';
import { orderOfProfile, publications } from '../../publications.js';
import { versionInEffect } from '../../statements/statement.table.js';
import { decideImport, type ImportableRow } from './import-customers.decision.js';
import { digestWith, findImported, takeKeys, type KeyDigest } from './import-keys.table.js';

const { profileChanged } = publications;

/** A transaction holds 256 outbox keys at most, and each new customer is one. */
const CUSTOMERS_PER_TRANSACTION = 250;

export interface ImportedRow {
  /** null where the row had none that can be shown. */
  readonly key: string | null;
  readonly outcome: 'created' | 'existing' | 'refused';
  readonly customer?: string;
  /** Names the field, never shows its value. */
  readonly reason?: string;
}

interface NewRow extends ImportableRow {
  readonly digest: KeyDigest;
}

/**
 * Takes customers over from another system, each key of a door once: a call that is repeated, whole or in part, answers
 * `existing` for what an earlier one left behind.
 */
export class ImportCustomersUseCase {
  private readonly digest: (door: DoorName, key: string) => KeyDigest;

  constructor(
    private readonly database: DataSource,
    private readonly transactions: Transactions,
    private readonly custody: KeyCustody,
    serviceKey: Buffer,
  ) {
    this.digest = digestWith(serviceKey);
  }

  /** One answer per row, in the order of the rows. */
  async import(door: DoorName, rows: readonly unknown[]): Promise<ImportedRow[]> {
    const now = new Date();
    const facts = { statementVersion: await versionInEffect(this.database.manager, now) };
    const { importable, refused } = decideImport(facts, door, rows, randomUUID, now);
    const outcomes = new Array<ImportedRow>(rows.length);
    for (const { at, key, refusal } of refused) {
      outcomes[at] = { key: key ?? null, outcome: 'refused', reason: `${refusal.code}: ${refusal.detail}` };
    }

    const digested = importable.map((row) => ({ ...row, digest: this.digest(door, row.key) }));
    const imported = new Map(
      await findImported(
        this.database.manager,
        door,
        digested.map(({ digest }) => digest),
      ),
    );
    const fresh = new Map<string, NewRow>();
    for (const row of digested) {
      const id = row.digest.toString('hex');
      // Of rows with one key in one call, the first is the customer.
      if (!imported.has(id) && !fresh.has(id)) fresh.set(id, row);
    }
    const created = await this.create(door, [...fresh.values()]);
    for (const [id, customer] of created.existing) imported.set(id, customer);

    for (const { at, key, digest } of digested) {
      const id = digest.toString('hex');
      const isCreated = created.customers.has(id) && fresh.get(id)?.at === at;
      const customer = created.customers.get(id) ?? imported.get(id);
      if (customer === undefined) throw new Error('an imported key has no customer');
      outcomes[at] = { key, outcome: isCreated ? 'created' : 'existing', customer };
    }
    return outcomes;
  }

  private async create(door: DoorName, rows: readonly NewRow[]) {
    const keys = await this.custody.create(rows.map(({ profile }) => profile.customer));
    const customers = new Map<string, string>();
    const existing = new Map<string, string>();
    for (let at = 0; at < rows.length; at += CUSTOMERS_PER_TRANSACTION) {
      const part = rows.slice(at, at + CUSTOMERS_PER_TRANSACTION);
      const sealed = part.map(({ profile: { values, ...facts } }): SealedProfile => {
        const dataKey = keys.get(facts.customer)?.dataKey;
        if (dataKey === undefined) throw new Error('key custody made no keys');
        return { ...facts, attributes: sealValues(dataKey, facts.customer, facts.version, values) };
      });
      const locks = sealed.map(({ customer }) => orderOfProfile(customer));
      const taken = await this.transactions.run(locks, async (tx) => {
        const mine = await takeKeys(
          tx.manager,
          door,
          part.map(({ digest, profile }) => ({ digest, customer: profile.customer })),
        );
        const wanted = new Set(mine.values());
        const written = sealed.filter(({ customer }) => wanted.has(customer));
        await insertProfiles(tx.manager, written);
        for (const profile of written) tx.publish(profileChanged, profileChangedOf(profile));
        return mine;
      });
      for (const [id, customer] of taken) customers.set(id, customer);
      // Taken by another import between the look-up and the transaction; its customers are committed by now.
      const lost = part.filter(({ digest }) => !taken.has(digest.toString('hex')));
      if (lost.length > 0) {
        const theirs = await findImported(
          this.database.manager,
          door,
          lost.map(({ digest }) => digest),
        );
        for (const [id, customer] of theirs) existing.set(id, customer);
      }
    }
    return { customers, existing };
  }
}
