import { randomUUID } from 'node:crypto';
import { createLogger } from '@castiron/observability';
import { outboxMigrations } from '@castiron/outbox';
import { createDataSource } from '@castiron/service';
import { eventually, freshDatabase, openDatabaseValve } from '@castiron/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { databaseMigrations } from '../database.js';
import { given, MailRig, newAddress } from '../testing/mail.rig.js';
import { hesitantServer, refusingServer, unwillingServer } from '../testing/odd-mail-servers.js';
import { claimMails } from './mail.table.js';
import { SURELY_OVER_S } from './mail-worker.js';

let rig: MailRig;
beforeAll(async () => {
  rig = new MailRig(await freshDatabase([...databaseMigrations, ...outboxMigrations]), inject('stack').mail);
});
// Nothing of the tests before may take a worker's time.
beforeEach(() => rig.database.query(`UPDATE mails SET status = 'cancelled' WHERE status = 'queued'`));
afterEach(() => rig.stopWorkers());
afterAll(() => rig.database.destroy());

/** A mail that is queued, and the address it goes to. */
async function queued(): Promise<readonly [subject: string, email: string]> {
  const [subject, email] = [randomUUID(), newAddress()];
  await rig.feed(subject, 1, { email: given(email) });
  await rig.notice(subject);
  return [subject, email];
}

/** A notice to the subject and one mailing, on their way to a mail server that does not answer yet. */
async function noticeAndMailing() {
  const [subject] = await queued();
  await rig.mailing();
  await rig.database.query(`UPDATE mails SET status = 'cancelled' WHERE subject <> $1 AND status = 'queued'`, [
    subject,
  ]);
  const server = await hesitantServer();
  await rig.startWorker({ smtp: server.url });
  return { subject, server };
}

/** Makes it due whenever it is put back, until it has been tried so often. */
async function afterTries(attempts: number, subject: string, end: { status: string; reason: string }): Promise<void> {
  await eventually(async () => {
    await rig.database.query(
      `UPDATE mails SET due_at = now() WHERE subject = $1 AND status = 'queued' AND attempts < $2`,
      [subject, attempts],
    );
    expect(await rig.mailsOf(subject)).toMatchObject([{ ...end, attempts }]);
  });
}

describe('a mail', () => {
  it('is tried again under the same Message-ID after its worker died', async () => {
    const [subject, email] = await queued();
    // What a worker leaves that was killed after the server took the mail.
    await rig.database.query(
      `UPDATE mails SET status = 'sending', claim = gen_random_uuid(), attempts = 1, claimed_at = now() - interval '61 s' WHERE subject = $1`,
      [subject],
    );
    await rig.startWorker();
    await eventually(async () => expect(await rig.mailsOf(subject)).toMatchObject([{ status: 'sent', attempts: 2 }]));
    expect((await rig.received(email))[0]?.headers['message-id']).toBe(
      `<${(await rig.mailsOf(subject))[0]?.id}@castiron.example>`,
    );
  });

  it('goes once where the database is away when it was sent, and its end is written down afterwards', async () => {
    const [subject] = await queued();
    const valve = await openDatabaseValve((rig.database.options as { url?: string }).url ?? '');
    const dataSource = await createDataSource(valve.url, [], createLogger('spec', 'silent')).initialize();
    const server = await hesitantServer();
    await rig.startWorker({ smtp: server.url, dataSource });
    await eventually(() => expect(server.mails).toHaveLength(1));
    valve.state = 'cut';
    server.answer();
    await eventually(() => expect(valve.turnedAway).toBeGreaterThan(0));
    valve.state = 'open';
    await eventually(async () => expect(await rig.mailsOf(subject)).toMatchObject([{ status: 'sent', attempts: 1 }]));
    expect(server.mails).toHaveLength(1);
    await rig.stopWorkers();
    await Promise.all([server.close(), dataSource.destroy(), valve.close()]);
  });

  it('stays queued while the mail server is away, and leaves once it is back', async () => {
    const [subject] = await queued();
    await rig.startWorker({ smtp: 'smtp://127.0.0.1:1' });
    await eventually(async () =>
      expect(await rig.mailsOf(subject)).toMatchObject([{ status: 'queued', reason: 'ESOCKET' }]),
    );
    await rig.stopWorkers();
    await rig.database.query('UPDATE mails SET due_at = now() WHERE subject = $1', [subject]);
    await rig.startWorker();
    await eventually(async () => expect(await rig.statusesOf(subject)).toEqual(['sent']));
  });

  it('is given up where the server refuses it for good', async () => {
    const [subject] = await queued();
    const server = await refusingServer();
    await rig.startWorker({ smtp: server.url });
    await eventually(async () =>
      expect(await rig.mailsOf(subject)).toMatchObject([{ status: 'failed', reason: 'smtp-550', attempts: 1 }]),
    );
    await rig.stopWorkers();
    await server.close();
  });

  it('that is a notice goes once more, and not again, where the mail server has it and never answers', async () => {
    const [subject] = await queued();
    const server = await unwillingServer('gives no answer');
    await rig.startWorker({ smtp: server.url });
    await afterTries(1, subject, { status: 'queued', reason: 'no-answer' });
    await rig.stopWorkers();
    // What is known of it outlives a try that does not get so far.
    await rig.startWorker({ smtp: 'smtp://127.0.0.1:1' });
    await afterTries(2, subject, { status: 'queued', reason: 'ESOCKET' });
    await rig.stopWorkers();
    await rig.startWorker({ smtp: server.url });
    await afterTries(3, subject, { status: 'in-doubt', reason: 'no-answer' });
    expect(await rig.metrics.registry.metrics()).toMatch(/castiron_mails_total\{[^}]*outcome="in-doubt"[^}]*\} 1/);
    expect(server.mails).toHaveLength(2);
    expect(new Set(server.mails.map((mail) => /^Message-ID: .*$/im.exec(mail)?.[0])).size).toBe(1);
    await rig.stopWorkers();
    await server.close();
  });

  it.each([
    ['lets none come', 'ECONNECTION'],
    ['refuses', 'EMESSAGE'],
  ] as const)('is not in doubt where the mail server %s', async (how, reason) => {
    const [subject] = await queued();
    const server = await unwillingServer(how);
    await rig.startWorker({ smtp: server.url });
    await afterTries(2, subject, { status: 'queued', reason });
    await rig.stopWorkers();
    await server.close();
  });

  it('that is a notice waits long for an answer; a mailing is over sooner, and never goes again', async () => {
    const { subject, server } = await noticeAndMailing();
    await eventually(async () => expect(await rig.statusesOf(subject)).toEqual(['sending', 'in-doubt']), {
      within: 1_000 * SURELY_OVER_S,
    });
    server.answer();
    await eventually(async () => expect(await rig.statusesOf(subject)).toEqual(['sent', 'in-doubt']));
    expect(server.mails).toHaveLength(2);
    await rig.stopWorkers();
    await server.close();
  });

  it('that a stop meets under way has a moment, and then is cut off: a notice is to go once more, a mailing is in doubt', async () => {
    const { subject, server } = await noticeAndMailing();
    await eventually(() => expect(server.mails).toHaveLength(2));
    let isStopped = false;
    const stopping = rig.stopWorkers().then(() => (isStopped = true));
    // The first of the sends would be over by itself later than this waits.
    await eventually(() => expect(isStopped, 'it waits for an answer').toBe(true));
    await stopping;
    expect(await rig.mailsOf(subject)).toMatchObject([
      { status: 'queued', reason: 'no-answer', attempts: 1 },
      { status: 'in-doubt', reason: 'no-answer', attempts: 1 },
    ]);
    await server.close();
  });

  it('that is a notice goes before mailings that have waited longer, and no more are claimed than asked for', async () => {
    await rig.feed(randomUUID(), 1, { email: given(newAddress()) });
    await rig.mailing();
    const [subject] = await queued();
    const claim = { claim: randomUUID(), limit: 1, leaseS: 60 };
    expect(await claimMails(rig.database.manager, claim)).toMatchObject([{ subject }]);
    expect(await claimMails(rig.database.manager, claim)).toMatchObject([{ kind: 'mailing' }]);
  });
});
