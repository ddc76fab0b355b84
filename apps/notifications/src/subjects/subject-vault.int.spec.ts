import { randomUUID } from 'node:crypto';
import { withdrawalConfirmed } from '@castiron/contracts';
import { outboxMigrations } from '@castiron/outbox';
import { freshDatabase } from '@castiron/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { databaseMigrations } from '../database.js';
import { given, MailRig, newAddress } from '../testing/mail.rig.js';

let rig: MailRig;
beforeAll(async () => {
  rig = new MailRig(await freshDatabase([...databaseMigrations, ...outboxMigrations]), inject('stack').mail);
});
afterAll(() => rig.database.destroy());

const keysOf = (subject: string): Promise<unknown[]> =>
  rig.database.query('SELECT FROM subject_keys WHERE subject = $1', [subject]);

describe('what is held of a subject', () => {
  it('is unreadable in the tables, and its key is gone with the withdrawal, which is then confirmed', async () => {
    const [subject, email, obligation] = [randomUUID(), newAddress(), randomUUID()];
    await rig.feed(subject, 1, { email: given(email) });
    const dump: unknown[] = await rig.database.query(
      `SELECT s::text, encode(sealed, 'escape') AS plain FROM subjects s WHERE subject = $1`,
      [subject],
    );
    expect(dump).toHaveLength(1);
    expect(JSON.stringify(dump)).not.toContain(email);
    expect(await keysOf(subject)).toHaveLength(1);

    await rig.withdraw(subject, 2, obligation);
    expect(await keysOf(subject)).toEqual([]);
    expect(await rig.published(withdrawalConfirmed, subject)).toMatchObject([{ obligation, subject, version: 2 }]);

    // The record that was on its way brings nothing back; neither does one before it.
    await rig.feed(subject, 1, { email: given(email) });
    expect(await keysOf(subject)).toEqual([]);
  });

  it('does not go back in versions, and ends with a tombstone', async () => {
    const [subject, email] = [randomUUID(), newAddress()];
    await rig.feed(subject, 3, { email: given(email) });
    await rig.feed(subject, 2, { email: given('old@customer.example') });
    const held = await rig.vault.load(rig.database.manager, subject);
    expect(held.attributes.email?.value).toBe(email);
    await rig.tombstone(subject);
    expect(await rig.vault.load(rig.database.manager, subject)).toMatchObject({
      version: 3,
      deleted: true,
      attributes: {},
    });
    expect(await keysOf(subject)).toEqual([]);
  });
});
