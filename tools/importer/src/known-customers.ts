import { createHmac, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';

/**
 * Which customer a number belongs to, as the service answered it: kept on disk, for a file of any size must not fill
 * the memory, and as digests under a key that dies with the process, for numbers can be personal.
 */
export class KnownCustomers {
  readonly #folder = mkdtempSync(join(tmpdir(), 'castiron-import-'));
  readonly #database = new DatabaseSync(join(this.#folder, 'customers.sqlite'));
  readonly #key = randomBytes(32);
  readonly #insert: StatementSync;
  readonly #select: StatementSync;

  constructor() {
    // A scratch file: it is worth nothing after a crash.
    this.#database.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF');
    this.#database.exec('CREATE TABLE customers (digest BLOB PRIMARY KEY, customer TEXT NOT NULL) WITHOUT ROWID');
    this.#insert = this.#database.prepare('INSERT OR REPLACE INTO customers (digest, customer) VALUES (?, ?)');
    this.#select = this.#database.prepare('SELECT customer FROM customers WHERE digest = ?');
  }

  addAll(entries: readonly (readonly [key: string, customer: string])[]): void {
    this.#database.exec('BEGIN');
    for (const [key, customer] of entries) this.#insert.run(this.#digest(key), customer);
    this.#database.exec('COMMIT');
  }

  customerOf(key: string): string | undefined {
    return this.#select.get(this.#digest(key))?.['customer'] as string | undefined;
  }

  close(): void {
    this.#database.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #digest(key: string): Buffer {
    return createHmac('sha256', this.#key).update(key).digest().subarray(0, 16);
  }
}
