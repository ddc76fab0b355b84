import { randomUUID } from 'node:crypto';
import { composeEntry, leafHash, randomSalts, type ComposedEntry, type EntryDraft } from '@castiron/ledger';
import { freshDatabase } from '@castiron/testing';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appendEntries } from './append-entries.js';
import { ledgerMigrations } from './migrations.js';
import { entriesFrom } from './read-entries.js';

let database: DataSource;
beforeAll(async () => {
  database = await freshDatabase(ledgerMigrations);
});
afterAll(() => database.destroy());

const entry = (over: Partial<EntryDraft> = {}): ComposedEntry =>
  composeEntry(
    {
      id: randomUUID(),
      kind: 'released',
      at: new Date('2026-11-23T09:00:00Z'),
      recipient: 'northern-hosting',
      recordId: randomUUID(),
      version: 1,
      agreement: randomUUID(),
      policyVersion: '1',
      subject: randomUUID(),
      attributes: { companyName: { purposes: [{ purpose: 'mailing', ground: 'permission' }], value: 'Müller "€" 😀' } },
      ...over,
    },
    randomSalts(),
  );

const append = (...entries: ComposedEntry[]) => database.transaction((manager) => appendEntries(manager, entries));
async function size(): Promise<bigint> {
  const [head] = await database.query<{ size: string }[]>('SELECT size FROM ledger_head');
  return BigInt(head?.size ?? 0);
}

describe('appending to the ledger', () => {
  it('numbers entries in the order given and keeps the very bytes that were hashed', async () => {
    const first = await size();
    const entries = [entry(), entry({ kind: 'withdrawn', attributes: {} }), entry()];
    const appended = await append(...entries);
    expect(appended.map(({ index }) => index)).toEqual([first, first + 1n, first + 2n]);
    expect(appended.map(({ id }) => id)).toEqual(entries.map(({ leaf }) => leaf.id));
    const rows: { leaf: string; leaf_hash: Buffer }[] = await database.query(
      'SELECT leaf, leaf_hash FROM ledger_entries WHERE index >= $1 ORDER BY index',
      [first.toString()],
    );
    for (const row of rows) expect(leafHash(Buffer.from(row.leaf))).toEqual(row.leaf_hash);
    expect(rows.map((row) => row.leaf_hash)).toEqual(entries.map((composed) => composed.leafHash));
  });

  it('leaves no gap and no double when many race and some fail', async () => {
    const first = await size();
    const lost = new Error('lost');
    const attempts = Array.from({ length: 40 }, (_, n) =>
      database.transaction(async (manager) => {
        const appended = await appendEntries(manager, [entry(), entry()]);
        if (n % 4 === 0) throw lost;
        return appended;
      }),
    );
    const settled = await Promise.allSettled(attempts);
    const indexes = settled.flatMap((one) => (one.status === 'fulfilled' ? one.value.map(({ index }) => index) : []));
    expect(settled.filter((one) => one.status === 'rejected').map((one) => one.reason as unknown)).toEqual(
      Array(10).fill(lost),
    );
    const expected = Array.from({ length: 60 }, (_, n) => first + BigInt(n));
    expect(indexes.toSorted((a, b) => Number(a - b))).toEqual(expected);
    const stored = await entriesFrom(database.manager, { from: first, limit: 1000 });
    expect(stored.map(({ index }) => index)).toEqual(expected);
    expect(await size()).toBe(first + 60n);
  });

  it('takes an entry once', async () => {
    const once = entry();
    await append(once);
    const before = await size();
    await expect(append(entry(), once)).rejects.toThrow(/duplicate key/);
    expect(await size()).toBe(before);
  });

  it('wants a transaction, for an index is final with its commit', async () => {
    await expect(appendEntries(database.manager, [entry()])).rejects.toThrow(/in a transaction/);
  });

  it.each(['UPDATE ledger_entries SET recipient = recipient', 'DELETE FROM ledger_entries', 'TRUNCATE ledger_entries'])(
    'refuses to %s',
    async (statement) => {
      await append(entry());
      await expect(database.query(statement)).rejects.toThrow(/only ever appended to/);
    },
  );
});

describe('reading the ledger', () => {
  it('finds entries by recipient, in order and in pages', async () => {
    const mine = [1, 2, 3].map(() => entry({ recipient: 'southern-mail' }));
    const appended = await append(mine[0]!, entry(), mine[1]!, mine[2]!);
    const leaves = mine.map(({ leaf }) => leaf);
    const page = await entriesFrom(database.manager, { from: 0n, limit: 2, recipient: 'southern-mail' });
    expect(page.map(({ leaf }) => leaf)).toEqual(leaves.slice(0, 2));
    const next = await entriesFrom(database.manager, {
      from: page[1]!.index + 1n,
      limit: 2,
      recipient: 'southern-mail',
    });
    expect(next.map(({ index }) => index)).toEqual([appended[3]!.index]);
    expect(next[0]!.leafHash).toEqual(mine[2]!.leafHash);
  });
});
