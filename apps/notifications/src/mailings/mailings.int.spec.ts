import { randomUUID } from 'node:crypto';
import { outboxMigrations } from '@castiron/outbox';
import { eventually, freshDatabase } from '@castiron/testing';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { databaseMigrations } from '../database.js';
import { given, MailRig, newAddress } from '../testing/mail.rig.js';
import { progressOfMailing, writeNextMails } from './mailing.table.js';

let rig: MailRig;
beforeAll(async () => {
  rig = new MailRig(await freshDatabase([...databaseMigrations, ...outboxMigrations]), inject('stack').mail);
});
afterEach(() => rig.stopWorkers());
afterAll(() => rig.database.destroy());

const progressOf = (mailing: string) => progressOfMailing(rig.database.manager, mailing);

describe('a mailing', () => {
  it('goes to whom the feed allows, with one-click headers (RFC 8058)', async () => {
    const [reader, other, email] = [randomUUID(), randomUUID(), newAddress()];
    await rig.feed(reader, 1, { email: given(email) });
    await rig.feed(other, 1, { email: given(newAddress()) }, 'stopped');
    const mailing = await rig.mailing();
    await rig.startWorker();
    await eventually(async () => expect(await rig.statusesOf(reader)).toEqual(['sent']));
    expect(await rig.mailsOf(other)).toEqual([]);
    const [mail] = await rig.received(email);
    if (mail === undefined) throw new Error('no mail');
    const source = await rig.sourceOf(mail);
    expect(source).toContain(`List-Unsubscribe: <${rig.links.linkOf(reader)}>`);
    expect(source).toContain('List-Unsubscribe-Post: List-Unsubscribe=One-Click');
    expect(mail.text).toContain(rig.links.linkOf(reader));
    expect((await progressOf(mailing))?.mails.sent).toBeGreaterThan(0);
  });

  it('is written step by step, whoever takes the next step, once to each; its progress shows', async () => {
    const subjects = Array.from({ length: 7 }, () => randomUUID());
    for (const subject of subjects) await rig.feed(subject, 1, { email: given(newAddress()) });
    const { mailing } = await rig.orderMailing();
    expect(await progressOf(mailing)).toMatchObject({ writtenAt: null, mails: {} });
    const step = () => writeNextMails(rig.database.manager, 3);
    expect(await step()).toBe(true);
    expect(await progressOf(mailing)).toMatchObject({ writtenAt: null, mails: { queued: 3 } });

    // Two replicas at once: one takes the step, the other passes it over.
    await Promise.all([step(), step()]);
    while (await step());
    const done = await progressOf(mailing);
    expect(done?.writtenAt).toBeInstanceOf(Date);
    for (const subject of subjects) expect(await rig.statusesOf(subject)).toEqual(['queued']);
  });

  it('leaves out who cancelled before their step', async () => {
    const subject = randomUUID();
    await rig.feed(subject, 1, { email: given(newAddress()) });
    await rig.orderMailing();
    await rig.cancel(subject);
    while (await writeNextMails(rig.database.manager, 3));
    expect(await rig.statusesOf(subject)).toEqual([]);
  });
});
