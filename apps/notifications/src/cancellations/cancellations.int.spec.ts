import { randomUUID } from 'node:crypto';
import { mailingCancelled } from '@castiron/contracts';
import { NoRoom } from '@castiron/failures';
import { outboxMigrations } from '@castiron/outbox';
import { eventually, freshDatabase } from '@castiron/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { databaseMigrations } from '../database.js';
import { given, MailRig, newAddress } from '../testing/mail.rig.js';
import { stallingServer } from '../testing/odd-mail-servers.js';
import { tellOfCancellations } from './tell-of-cancellations.js';

let rig: MailRig;
let subject: string;
let email: string;
beforeAll(async () => {
  rig = new MailRig(await freshDatabase([...databaseMigrations, ...outboxMigrations]), inject('stack').mail);
});
beforeEach(async () => {
  // Nothing of the tests before may take a worker's time.
  await rig.database.query(`UPDATE mails SET status = 'cancelled'`);
  [subject, email] = [randomUUID(), newAddress()];
  await rig.feed(subject, 1, { email: given(email) });
});
afterEach(() => rig.stopWorkers());
afterAll(() => rig.database.destroy());

/** Leaves the mail of this subject alone in the queue. */
async function mailOnlyThem(): Promise<void> {
  await rig.mailing();
  await rig.database.query(`UPDATE mails SET status = 'cancelled' WHERE subject <> $1`, [subject]);
}

describe('a cancellation', () => {
  it('stops mailings, the queued ones and the next ones, and partner-sharing is told', async () => {
    await rig.mailing();
    expect(await rig.statusesOf(subject)).toEqual(['queued']);
    await rig.cancel(subject);
    expect(await rig.statusesOf(subject)).toEqual(['cancelled']);
    expect(await rig.published(mailingCancelled, subject)).toHaveLength(1);

    await rig.mailing();
    // A record made before partner-sharing heard of it must not end the cancellation.
    await rig.feed(subject, 2, { email: given(newAddress()) });
    await rig.mailing();
    expect(await rig.statusesOf(subject)).toEqual(['cancelled']);
    await rig.notice(subject);
    expect(await rig.statusesOf(subject)).toEqual(['cancelled', 'queued']);
  });

  it('ends where the customer permitted mailings anew', async () => {
    await rig.cancel(subject);
    const known = await rig.cancelledAt(subject);
    await rig.feed(subject, 2, { email: given(newAddress()) }, 'stopped', known);
    await rig.mailing();
    expect(await rig.statusesOf(subject)).toEqual([]);
    await rig.feed(subject, 3, { email: given(newAddress()) }, 'allowed', known);
    await rig.mailing();
    expect(await rig.statusesOf(subject)).toEqual(['queued']);
  });

  it('does not end with a permission given before it, of which the feed tells later', async () => {
    await rig.cancel(subject);
    const known = await rig.cancelledAt(subject);
    await rig.feed(subject, 2, { email: given(newAddress()) }, 'allowed', known);
    expect(await rig.cancelledAt(subject)).toBeUndefined();
    await rig.cancel(subject);
    await rig.feed(subject, 3, { email: given(newAddress()) }, 'allowed', known);
    await rig.mailing();
    expect(await rig.statusesOf(subject)).toEqual([]);
  });

  it('is told again with the next, for a permission given between the two', async () => {
    await rig.cancel(subject);
    // By a clock that has gone back since.
    await rig.database.query(`UPDATE cancellations SET at = at + interval '10 s' WHERE subject = $1`, [subject]);
    const between = await rig.cancelledAt(subject);
    await rig.cancel(subject);
    expect(await rig.published(mailingCancelled, subject)).toHaveLength(2);
    await rig.feed(subject, 2, { email: given(newAddress()) }, 'allowed', between);
    expect(await rig.cancelledAt(subject)).toBeDefined();
  });

  it('takes reserved room once a minute, so that one link cannot fill it', async () => {
    await rig.cancel(subject);
    await rig.cancel(subject);
    await rig.database.query(`UPDATE cancellations SET at = at - interval '61 s' WHERE subject = $1`, [subject]);
    await rig.cancel(subject);
    expect(rig.reserved(mailingCancelled, subject)).toEqual([true, false, true]);
    await rig.feed(subject, 2, { email: given(newAddress()) }, 'allowed', await rig.cancelledAt(subject));
    await rig.cancel(subject);
    expect(rig.reserved(mailingCancelled, subject).at(-1)).toBe(true);
  });

  it('is never refused, though there is no more room than that', async () => {
    rig.isFull = true;
    await rig.cancel(subject);
    await rig.cancel(subject);
    rig.isFull = false;
    expect(await rig.published(mailingCancelled, subject)).toHaveLength(1);
    expect(await rig.cancelledAt(subject)).toBeDefined();
  });

  it('for which there was no room is told of once there is, and ends with no permission of before it', async () => {
    const telling = () => tellOfCancellations(rig.database, rig.transactions);
    rig.isFull = true;
    await rig.cancel(subject);
    const first = await rig.cancelledAt(subject);
    await rig.cancel(subject);
    await rig.feed(subject, 2, { email: given(newAddress()) }, 'allowed', first);
    await rig.mailing();
    expect(await rig.statusesOf(subject)).toEqual([]);
    await expect(telling()).rejects.toThrow(NoRoom);
    rig.isFull = false;
    await telling();
    await telling();
    const second = await rig.cancelledAt(subject);
    expect(await rig.published(mailingCancelled, subject)).toMatchObject([
      { at: first?.toISOString() },
      { at: second?.toISOString() },
    ]);
  });

  it('between the claim of a mail and its sending keeps it from leaving', async () => {
    await mailOnlyThem();
    const gate = rig.gatedVault();
    await rig.startWorker({ vault: gate.vault });
    await gate.reached;
    expect(await rig.statusesOf(subject)).toEqual(['sending']);
    const cancelling = rig.cancel(subject);
    await eventually(async () => expect(await rig.published(mailingCancelled, subject)).toHaveLength(1));
    gate.open();
    await cancelling;
    await eventually(async () => expect(await rig.statusesOf(subject)).toEqual(['cancelled']));
    expect(await rig.received(email)).toEqual([]);
  });

  it('is answered only once a mail that is on its way has left', async () => {
    await mailOnlyThem();
    const server = await stallingServer();
    await rig.startWorker({ smtp: server.url });
    await eventually(async () => expect(await rig.statusesOf(subject)).toEqual(['sending']));
    let answered = false;
    const cancelling = rig.cancel(subject).then(() => (answered = true));
    await eventually(async () => expect(await rig.published(mailingCancelled, subject)).toHaveLength(1));
    expect(answered).toBe(false);
    server.end();
    await cancelling;
    expect(await rig.statusesOf(subject)).not.toEqual(['sending']);
    await rig.stopWorkers();
    await server.close();
  });
});
