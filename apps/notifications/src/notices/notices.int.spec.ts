import { randomUUID } from 'node:crypto';
import { outboxMigrations } from '@castiron/outbox';
import { eventually, freshDatabase } from '@castiron/testing';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { databaseMigrations } from '../database.js';
import { given, MailRig, newAddress } from '../testing/mail.rig.js';

let rig: MailRig;
beforeAll(async () => {
  rig = new MailRig(await freshDatabase([...databaseMigrations, ...outboxMigrations]), inject('stack').mail);
});
afterEach(() => rig.stopWorkers());
afterAll(() => rig.database.destroy());

describe('a notice', () => {
  it('waits for the feed record of its subject, then leaves as mail', async () => {
    const [subject, email] = [randomUUID(), newAddress()];
    await rig.notice(subject, 'sharing-started');
    expect(await rig.statusesOf(subject)).toEqual(['waiting']);
    await rig.feed(subject, 1, { email: given(email), companyName: given('Example Ltd') });
    await rig.startWorker();
    await eventually(async () => expect(await rig.statusesOf(subject)).toEqual(['sent']));
    const [mail, ...more] = await rig.received(email);
    expect(more).toEqual([]);
    expect(mail?.subject).toBe('Your data is now shared with Northern Hosting');
    expect(mail?.text).toContain('Dear Example Ltd');
    expect(mail?.headers['message-id']).toBe(`<${(await rig.mailsOf(subject))[0]?.id}@castiron.example>`);
    expect(mail && (await rig.sourceOf(mail))).not.toMatch(/^List-Unsubscribe/m);
  });

  it('ends as expired, counted, where its subject never comes', async () => {
    const [never, young, email] = [randomUUID(), randomUUID(), newAddress()];
    await rig.notice(never);
    await rig.notice(young);
    await rig.database.query(`UPDATE mails SET created_at = created_at - interval '61 s' WHERE subject = $1`, [never]);
    await rig.startWorker({ noticeWaitS: 60 });
    await eventually(async () =>
      expect(await rig.mailsOf(never)).toMatchObject([{ status: 'expired', reason: 'no-feed-record' }]),
    );
    // Counted once it is written down.
    await eventually(async () =>
      expect(await rig.metrics.registry.metrics()).toMatch(/castiron_mails_total\{[^}]*outcome="expired"[^}]*\} 1/),
    );
    expect(await rig.statusesOf(young)).toEqual(['waiting']);
    // What is over stays over: the news is old.
    await rig.feed(never, 1, { email: given(email) });
    expect(await rig.statusesOf(never)).toEqual(['expired']);
  });

  it('is recorded as no-address where the feed has no e-mail, or none for notices', async () => {
    const [none, other] = [randomUUID(), randomUUID()];
    await rig.notice(none);
    await rig.feed(none, 1, { companyName: given('Example Ltd') });
    await rig.feed(other, 1, {
      email: { ...given(newAddress()), purposes: [{ purpose: 'mailing', ground: 'permission' }] },
    });
    await rig.notice(other);
    expect(await rig.statusesOf(none)).toEqual(['no-address']);
    expect(await rig.statusesOf(other)).toEqual(['no-address']);
  });

  it('makes one mail however often it is delivered', async () => {
    const [subject, id] = [randomUUID(), randomUUID()];
    await rig.feed(subject, 1, {});
    await rig.notice(subject, 'welcome', id);
    await rig.notice(subject, 'welcome', id);
    expect(await rig.mailsOf(subject)).toHaveLength(1);
  });

  it('adds no recipient and no header, whatever the customer wrote', async () => {
    const subject = randomUUID();
    await rig.feed(subject, 1, { email: given('a@b.example\r\nBcc: victim@customer.example') });
    await rig.notice(subject);
    expect(await rig.statusesOf(subject)).toEqual(['no-address']);
  });
});
