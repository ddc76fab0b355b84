import { randomBytes, randomUUID } from 'node:crypto';
import {
  composeEntry,
  leafHash,
  LogAltered,
  NotInLog,
  noteSigner,
  noteVerifier,
  openCheckpoint,
  parseLogProof,
  randomSalts,
  verifyLog,
  verifyLogProof,
  type LogSource,
} from '@castiron/ledger';
import { createMetrics } from '@castiron/observability';
import { appendToOutbox, outboxMigrations } from '@castiron/outbox';
import { freshDatabase } from '@castiron/testing';
import { Transactions } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LedgerForked } from '../ledger/ledger-forked.js';
import { appendEntries } from '../ledger/append-entries.js';
import { migrations } from '../database/migrations.js';
import { incidents } from '../incidents/incident.table.js';
import { publications } from '../publications.js';
import { measureLedger } from './measure-ledger.js';
import { ReadLog } from './read-log.query.js';
import { signCheckpointOrReport, signNextCheckpoint } from './sign-checkpoint.js';

const signer = noteSigner('castiron.example/ledger', randomBytes(32));
const verifier = noteVerifier(signer.verifierKey);

let database: DataSource;
let transactions: Transactions;
beforeEach(async () => {
  database = await freshDatabase([...migrations, ...outboxMigrations]);
  transactions = new Transactions(database, { append: appendToOutbox, wake: () => {} }, publications);
});
afterEach(() => database.destroy());

const entry = () =>
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
      attributes: { companyName: { purposes: [], value: 'Acme' } },
    },
    randomSalts(),
  );

const append = (count: number) =>
  database.transaction((manager) => appendEntries(manager, Array.from({ length: count }, entry)));

async function sign(): Promise<void> {
  while (await signNextCheckpoint(transactions, signer));
}

/** What others see of the log. */
function seen(): LogSource {
  const log = new ReadLog(database, signer);
  const present = <T>(what: T | undefined): T => {
    if (what === undefined) throw new NotInLog('there is no such thing');
    return what;
  };
  return {
    checkpoint: async () => Buffer.from(present(await log.checkpoint())),
    tile: async (address) => present(await log.tile(address)),
    bundle: async (address) => present(await log.bundle(address)),
  };
}

const published = async (): Promise<{ size: string; checkpoint: string }[]> => {
  const rows: { payload: Buffer }[] = await database.query(
    `SELECT payload FROM outbox WHERE type = 'sharing.checkpoint-signed.v1' ORDER BY id`,
  );
  return rows.map(({ payload }) => JSON.parse(String(payload)) as { size: string; checkpoint: string });
};

describe('the head of the ledger', () => {
  it('is signed where there is something new, published, and found right by who verifies all of it', async () => {
    await sign();
    expect((await verifyLog({ log: seen(), verifier })).size).toBe(0);
    const remembered: Buffer[] = [];
    for (const count of [1, 255, 44, 600]) {
      await append(count);
      await sign();
      remembered.push(await seen().checkpoint());
    }
    await sign();
    expect((await verifyLog({ log: seen(), verifier, remembered })).size).toBe(900);
    const told = await published();
    expect(told.map(({ size }) => size)).toEqual(['0', '1', '256', '300', '900']);
    expect(told.map(({ checkpoint }) => String(openCheckpoint(Buffer.from(checkpoint), verifier).size))).toEqual(
      told.map(({ size }) => size),
    );
  });

  it('follows a ledger that has far more than one look takes', async () => {
    await append(10_000);
    await append(10_000);
    await sign();
    expect((await verifyLog({ log: seen(), verifier })).size).toBe(20_000);
    expect((await published()).map(({ size }) => size)).toEqual(['8192', '16384', '20000']);
  });

  it('is signed by one of many at a time', async () => {
    await append(300);
    const waiting = await Promise.all(Array.from({ length: 8 }, () => signNextCheckpoint(transactions, signer)));
    expect(waiting).toEqual(Array(8).fill(false));
    expect((await published()).map(({ size }) => size)).toEqual(['300']);
  });

  it('is not signed where the tree is another than the one that was signed', async () => {
    await append(300);
    await sign();
    await append(10);
    await tamper(
      `UPDATE ledger_tiles SET hashes = set_byte(hashes, 0, 255 - get_byte(hashes, 0)) WHERE level = 0 AND index = 1`,
    );
    await expect(sign()).rejects.toThrow(LedgerForked);
    expect(await published()).toHaveLength(1);
  });

  it('is not signed where an entry is missing', async () => {
    await append(10);
    await tamper('DELETE FROM ledger_entries WHERE index = 5');
    await expect(sign()).rejects.toThrow(/no entry 5/);
    expect(await published()).toHaveLength(0);
  });

  it('is not signed where the last entries are missing', async () => {
    await append(10);
    await sign();
    await append(10);
    await tamper('DELETE FROM ledger_entries WHERE index >= 10');
    await expect(sign()).rejects.toThrow(/entries end before 10/);
    expect(await published()).toHaveLength(1);
    for (let times = 0; times < 2; times += 1)
      await expect(signCheckpointOrReport(database, transactions, signer)).rejects.toThrow(LedgerForked);
    expect(await incidents(database.manager, { state: 'open', limit: 9 })).toMatchObject([{ kind: 'ledger-forked' }]);
  });
});

/** As somebody does who owns the database. */
const tamper = (statement: string) =>
  database.transaction(async (manager) => {
    await manager.query('SET LOCAL session_replication_role = replica');
    await manager.query(statement);
  });

describe('a ledger that was tampered with', () => {
  beforeEach(async () => {
    await append(700);
    await sign();
  });

  it('is found out, by the very entry', async () => {
    await tamper(`UPDATE ledger_entries SET leaf = replace(leaf, '"v":1', '"v":2') WHERE index = 413`);
    const fault = await verifyLog({ log: seen(), verifier }).catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(LogAltered);
    expect(fault).toMatchObject({ from: 413, to: 414 });
  });

  it('is found out where its tail was deleted', async () => {
    await tamper('DELETE FROM ledger_entries WHERE index >= 690');
    await expect(verifyLog({ log: seen(), verifier })).rejects.toMatchObject({ from: 512, to: 700 });
  });

  it.each([
    'UPDATE ledger_checkpoints SET note = note',
    'DELETE FROM ledger_checkpoints',
    'DELETE FROM ledger_tiles',
    "UPDATE ledger_tiles SET hashes = decode(repeat('00', 32), 'hex')",
  ])('is not so by a slip of ours: %s', async (statement) => {
    await expect(database.query(statement)).rejects.toThrow(/only ever/);
  });
});

describe('the proof of one entry', () => {
  it('is there once a head is signed that has it, and proves it to who has the key', async () => {
    const log = new ReadLog(database, signer);
    const appended = await append(300);
    const { id } = appended[271]!;
    expect(await log.proofOf(id)).toBe('unsigned');
    await sign();
    const found = await log.proofOf(id);
    const { proof } = found as { proof: string };
    const { extra } = parseLogProof(proof);
    expect(JSON.parse(String(extra))).toMatchObject({ id });
    expect(verifyLogProof(proof, leafHash(extra!), verifier)).toBe(271);
    expect(await log.proofOf(randomUUID())).toBeUndefined();
  });
});

describe('what is measured of the ledger', () => {
  it('is how many entries wait to be signed, and how long ago a head was signed last', async () => {
    const metrics = createMetrics('spec');
    const valueOf = async (name: string): Promise<number | undefined> => {
      await measureLedger(database, metrics);
      const [one] = (await metrics.registry.getSingleMetric(name)?.get())?.values ?? [];
      return one?.value;
    };
    await append(300);
    expect(await valueOf('castiron_ledger_unsigned')).toBe(300);
    await sign();
    expect(await valueOf('castiron_ledger_unsigned')).toBe(0);
    await append(7);
    expect(await valueOf('castiron_ledger_unsigned')).toBe(7);
    await tamper(`UPDATE ledger_checkpoints SET signed_at = signed_at - interval '1 hour'`);
    expect(await valueOf('castiron_ledger_signed_age_seconds')).toBeGreaterThan(3_599);
    await sign();
    expect(await valueOf('castiron_ledger_signed_age_seconds')).toBeLessThan(60);
  });
});

describe('what others read', () => {
  it('ends with what is signed', async () => {
    await append(300);
    await sign();
    await append(10);
    const log = new ReadLog(database, signer);
    expect(await log.tile({ level: 0, index: 1, width: 44 })).toHaveLength(44 * 32);
    expect(await log.tile({ level: 0, index: 1, width: 45 })).toBeUndefined();
    expect(await log.tile({ level: 1, index: 0, width: 1 })).toHaveLength(32);
    expect(await log.tile({ level: 1, index: 0, width: 2 })).toBeUndefined();
    expect(await log.tile({ level: 63, index: 0, width: 256 })).toBeUndefined();
    expect(await log.bundle({ index: 1, width: 45 })).toBeUndefined();
    expect(await log.bundle({ index: 9_000_000, width: 256 })).toBeUndefined();
  });
});
