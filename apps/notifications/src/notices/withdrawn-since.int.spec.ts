import { randomUUID } from 'node:crypto';
import { newEventId, NOTHING_HELD, noticeDue, type HeldCopy, type ReceivedEvent } from '@castiron/contracts';
import { newKey } from '@castiron/encryption';
import { freshDatabase } from '@castiron/testing';
import type { Tx } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { databaseMigrations } from '../database.js';
import { SubjectVault } from '../subjects/subject-vault.js';
import { withdrawnSince } from './withdrawn-since.js';

const vault = new SubjectVault(newKey());
let dataSource: DataSource;

beforeAll(async () => {
  dataSource = await freshDatabase(databaseMigrations);
});
afterAll(() => dataSource.destroy());

const opening = 'A'.repeat(43);
const address: HeldCopy['attributes'] = {
  email: { value: 'a@acorn.example', purposes: [{ purpose: 'notices', ground: 'own-purpose' }], opening },
};

it.each<[string, HeldCopy | undefined, string | undefined]>([
  ['whose subject is held', { ...NOTHING_HELD, version: 2, attributes: address }, undefined],
  ['whose subject was withdrawn since', { ...NOTHING_HELD, version: 3 }, 'subject-withdrawn'],
  ['whose subject was deleted since', { ...NOTHING_HELD, version: 3, deleted: true }, 'subject-withdrawn'],
  ['whose subject has not come yet', undefined, undefined],
])('a parked notice %s', async (_, copy, because) => {
  const subject = randomUUID();
  if (copy !== undefined) await vault.store(dataSource.manager, subject, copy);
  const event: ReceivedEvent<typeof noticeDue> = {
    contract: noticeDue,
    topic: 'duties.notifications.v1',
    key: subject,
    data: { ...noticeDue.example, subject },
    meta: { id: newEventId(), time: new Date() },
  };
  // All that it uses of a transaction.
  const tx = { manager: dataSource.manager } as unknown as Tx;
  expect(await withdrawnSince(vault, event, tx)).toBe(because);
});
