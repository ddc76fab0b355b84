import { randomBytes, randomUUID } from 'node:crypto';
import { decodeMessage, disclosureRecorded } from '@castiron/contracts';
import { composeEntry, leafHash, noteSigner, randomSalts, type ComposedEntry } from '@castiron/ledger';
import { appendToOutbox, outboxMigrations, type OwnRecord } from '@castiron/outbox';
import { freshDatabase } from '@castiron/testing';
import { Transactions } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { signNextCheckpoint } from '../checkpoints/sign-checkpoint.js';
import { migrations } from '../database/migrations.js';
import { incidents } from '../incidents/incident.table.js';
import { appendEntries } from '../ledger/append-entries.js';
import { announceDisclosures } from '../ledger-announcements/disclosure-announcer.js';
import { publications } from '../publications.js';
import { completeLedger } from './complete-ledger.js';

const signer = noteSigner('castiron.example/ledger', randomBytes(32));
const SHARED = 300;

/** A database with its ledger, which announces and signs all that it appends. */
class Life {
  private constructor(
    readonly database: DataSource,
    private readonly transactions: Transactions,
  ) {}

  static async begin(entries: readonly ComposedEntry[]): Promise<Life> {
    const database = await freshDatabase([...migrations, ...outboxMigrations]);
    const life = new Life(
      database,
      new Transactions(database, { append: appendToOutbox, wake: () => {} }, publications),
    );
    await life.append(entries);
    return life;
  }

  async append(entries: readonly ComposedEntry[]): Promise<void> {
    await this.database.transaction((manager) => appendEntries(manager, entries));
    while (await announceDisclosures(this.transactions));
    while (await signNextCheckpoint(this.transactions, signer));
  }

  /** What it told, as it stands on the topics. */
  async told(isKnown: boolean): Promise<ReadonlyMap<string, OwnRecord[]>> {
    const rows: { id: string; topic: string; key: string; payload: string; headers: Record<string, string> }[] =
      await this.database.query(
        `SELECT id, aggregatetype AS topic, aggregateid AS key, payload, headers FROM outbox ORDER BY id`,
      );
    const records = rows.map(({ id, topic, key, payload, headers }) => ({
      topic,
      partition: 0,
      offset: id,
      timestamp: new Date(isKnown ? 2_000 : 1_000),
      key: Buffer.from(key),
      value: Buffer.from(payload),
      headers,
      sequence: BigInt(id),
      isKnown,
    }));
    const topics = new Set(records.map(({ topic }) => topic));
    return new Map([...topics].map((topic) => [topic, records.filter((record) => record.topic === topic)]));
  }

  async ids(): Promise<string[]> {
    const rows: { id: string; leaf: string; leaf_hash: Buffer }[] = await this.database.query(
      'SELECT id, leaf, leaf_hash FROM ledger_entries ORDER BY index',
    );
    for (const { leaf, leaf_hash } of rows) expect(leafHash(Buffer.from(leaf))).toEqual(leaf_hash);
    return rows.map(({ id }) => id);
  }

  async root(): Promise<unknown> {
    const [head] = await this.database.query<unknown[]>(
      'SELECT size, root FROM ledger_checkpoints ORDER BY size DESC LIMIT 1',
    );
    return head;
  }
}

const entries = (count: number): ComposedEntry[] =>
  Array.from({ length: count }, () =>
    composeEntry(
      {
        id: randomUUID(),
        kind: 'withdrawn',
        at: new Date(),
        recipient: 'northern-hosting',
        recordId: randomUUID(),
        version: 1,
        agreement: null,
        policyVersion: '1',
        subject: randomUUID(),
        attributes: {},
      },
      randomSalts(),
    ),
  );
const idsOf = (composed: readonly ComposedEntry[]): string[] => composed.map(({ leaf }) => leaf.id);

class Log {
  readonly counts = new Map<string, number>();
  readonly notes: string[] = [];
  constructor(readonly dryRun = false) {}
  phase(): void {}
  count(what: string, by = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + by);
  }
  note(text: string): void {
    this.notes.push(text);
  }
}

const merged = (...told: readonly ReadonlyMap<string, readonly OwnRecord[]>[]): Map<string, OwnRecord[]> => {
  const all = new Map<string, OwnRecord[]>();
  for (const one of told) for (const [topic, records] of one) all.set(topic, [...(all.get(topic) ?? []), ...records]);
  return all;
};

let lost: Life;
let restored: Life;
const shared = entries(SHARED);
beforeEach(async () => {
  [lost, restored] = [await Life.begin(shared), await Life.begin(shared)];
});
afterEach(async () => {
  await lost.database.destroy();
  await restored.database.destroy();
});

describe('a restored ledger', () => {
  it('is completed by what was announced, to the very tree that was signed, and goes on from it', async () => {
    const more = entries(700);
    await lost.append(more);
    const records = await lost.told(false);
    const dry = new Log(true);
    await completeLedger(restored.database, records, signer, dry);
    expect(dry.counts.get('entries put back into the ledger')).toBe(700);
    expect(await restored.ids()).toHaveLength(SHARED);
    await completeLedger(restored.database, records, signer, new Log());
    expect(await restored.ids()).toEqual(idsOf([...shared, ...more]));
    expect(await restored.root()).toEqual(await lost.root());
    const [next, other] = [entries(3), entries(300)];
    await lost.append(next);
    await restored.append(next);
    expect(await restored.root()).toEqual(await lost.root());
    await restored.append(other);
    // Once more, it finds all done.
    const again = new Log();
    await completeLedger(restored.database, records, signer, again);
    expect(again.counts.get('entries put back into the ledger') ?? 0).toBe(0);
    expect(await restored.ids()).toEqual(idsOf([...shared, ...more, ...next, ...other]));
  });

  it('that grew again gives the places back that were taken, and has its own entries behind them', async () => {
    const [before, since] = [entries(600), entries(900)];
    await lost.append(before);
    await restored.append(since);
    const records = merged(await restored.told(true), await lost.told(false));
    const log = new Log();
    await completeLedger(restored.database, records, signer, log);
    expect(await restored.ids()).toEqual(idsOf([...shared, ...before, ...since]));
    expect(await restored.root()).toEqual(await lost.root());
    // Somebody may remember it: that cannot be undone, and is not kept quiet.
    expect(log.notes.join()).toContain('a head of 1200 entries was published that is not of this ledger');
    expect(await incidents(restored.database.manager, { state: 'open', limit: 9 })).toMatchObject([
      { kind: 'ledger-forked' },
    ]);
    const [other] = [entries(1)];
    await restored.append(other);
    expect(await restored.ids()).toEqual(idsOf([...shared, ...before, ...since, ...other]));
    await completeLedger(restored.database, records, signer, new Log());
    expect(await restored.ids()).toEqual(idsOf([...shared, ...before, ...since, ...other]));
  });

  it('is not completed where an entry is on no topic, or is not what it was: nothing is signed then', async () => {
    await lost.append(entries(5));
    const records = await lost.told(false);
    const changed = (change: (record: OwnRecord, index: number) => OwnRecord[]) =>
      new Map(
        [...records].map(([topic, of]) => [topic, of.flatMap((record) => change(record, indexOf(record) ?? -1))]),
      );
    const without = changed((record, index) => (index === 302 ? [] : [record]));
    await expect(completeLedger(restored.database, without, signer, new Log())).rejects.toThrow(/entry 302/);
    const short = changed((record, index) => (index >= 303 ? [] : [record]));
    await expect(completeLedger(restored.database, short, signer, new Log())).rejects.toThrow(
      /305 entries were signed/,
    );
    const altered = changed((record, index) =>
      index === 301
        ? [{ ...record, value: Buffer.from(String(record.value).replace('\\"v\\":1', '\\"v\\":2')) }]
        : [record],
    );
    await expect(completeLedger(restored.database, altered, signer, new Log())).rejects.toThrow(/entry 301/);
    expect(await restored.ids()).toHaveLength(SHARED);
  });
});

const indexOf = (record: OwnRecord): number | undefined => {
  const decoded = decodeMessage(record, [disclosureRecorded]);
  return decoded.ok ? Number((decoded.event.data as { index: string }).index) : undefined;
};
