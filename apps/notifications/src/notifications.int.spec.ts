import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  encodeEvent,
  feedRecord,
  mailingCancelled,
  newEventId,
  noticeDue,
  topicsOfRecipient,
  withdrawalConfirmed,
  withdrawalDue,
  type EventContract,
} from '@castiron/contracts';
import { newKey } from '@castiron/encryption';
import { connect, readAll, type Kafka, type Producer } from '@castiron/kafka';
import { mintToken } from '@castiron/local-stack';
import type { RunningService } from '@castiron/service';
import { eventually, freshDatabaseUrl } from '@castiron/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { readSettings } from './config.js';
import { SLUG } from './publications.js';
import { runNotifications } from './run.js';

const stack = inject('stack');
const within = { within: 15_000 };
let folder: string;
let service: RunningService;
let kafka: Kafka;
let producer: Producer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'castiron-notifications-'));
  const keyFile = join(folder, 'service.key');
  await writeFile(keyFile, newKey().toString('base64'), { mode: 0o600 });
  const principal = stack.kafka.principals[SLUG];
  const settings = readSettings({
    CASTIRON_PORT: '0',
    OIDC_ISSUER: stack.identity.issuer,
    LOG_LEVEL: 'silent',
    DATABASE_URL: await freshDatabaseUrl(),
    KAFKA_BROKERS: stack.kafka.bootstrap,
    KAFKA_USERNAME: principal?.username,
    KAFKA_PASSWORD: principal?.password,
    SERVICE_KEY_FILE: keyFile,
    SMTP_URL: stack.mail.smtp,
    PUBLIC_URL: 'https://mail.example',
  });
  service = await runNotifications(settings, () => undefined);
  const admin = stack.kafka.principals['admin'];
  kafka = connect({
    brokers: [stack.kafka.bootstrap],
    clientId: 'test',
    username: 'admin',
    password: admin?.password ?? '',
  });
  producer = kafka.producer();
});
afterAll(async () => {
  await producer.close();
  await service.stop();
  await rm(folder, { recursive: true });
});

const meta = () => ({ id: newEventId(), time: new Date() });
const purposes = [
  { purpose: 'notices' as const, ground: 'own-purpose' as const },
  { purpose: 'mailing' as const, ground: 'permission' as const },
];
const record = (subject: string, version: number, email: string) =>
  encodeEvent(
    feedRecord,
    {
      ...feedRecord.example,
      subject,
      version,
      mailing: 'allowed',
      attributes: { email: { value: email, purposes, opening: 'AA' } },
    },
    meta(),
    SLUG,
  );
const welcome = (subject: string) =>
  encodeEvent(noticeDue, { notice: randomUUID(), subject, kind: 'welcome' }, meta(), SLUG);

interface Mail {
  readonly subject: string;
  readonly text: string;
}
async function mailsTo(address: string): Promise<Mail[]> {
  const all = (await (await fetch(stack.mail.api)).json()) as (Mail & { to: { address: string }[] })[];
  return all.filter(({ to }) => to.some((one) => one.address === address));
}
const newAddress = (): string => `${randomUUID()}@customer.example`;

async function eventsOf(topic: string, contract: EventContract, key: string): Promise<unknown[]> {
  const events: unknown[] = [];
  for await (const message of readAll(kafka, topic)) {
    if (message.headers['ce_type']?.toString() === contract.type && message.key?.toString() === key) {
      events.push(JSON.parse(String(message.value)));
    }
  }
  return events;
}

async function mail(subject: string): Promise<Response> {
  const token = await mintToken(stack.identity, 'privacy-officer', 'officer-1');
  return fetch(`${service.url}/mailings`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ subject, text: 'Words about products.' }),
  });
}

describe('notifications', () => {
  it('turns a duty and a feed record into mail, and a withdrawal into a confirmation', async () => {
    const [subject, email, obligation] = [randomUUID(), newAddress(), randomUUID()];
    await producer.send([welcome(subject), record(subject, 1, email)]);
    await eventually(async () => expect(await mailsTo(email)).toHaveLength(1), within);

    await producer.send([
      encodeEvent(withdrawalDue, { ...withdrawalDue.example, subject, obligation, version: 2 }, meta(), SLUG),
    ]);
    const { replies } = topicsOfRecipient(SLUG);
    await eventually(async () => {
      expect(await eventsOf(replies.name, withdrawalConfirmed, subject)).toMatchObject([{ obligation, version: 2 }]);
    }, within);
  });

  it('goes on after a message that is none', async () => {
    const [subject, email] = [randomUUID(), newAddress()];
    const good = record(subject, 1, email);
    await producer.send([{ ...good, value: '{' }, { ...welcome(subject), headers: {} }, good, welcome(subject)]);
    // The broken event on the duties is of this subject: what follows on its key waits behind it, in order.
    const other = [randomUUID(), newAddress()] as const;
    await producer.send([record(other[0], 1, other[1]), welcome(other[0])]);
    await eventually(async () => expect(await mailsTo(other[1])).toHaveLength(1), within);
  });

  it('stops mailings with the answer to a click, by any form, and not by a look at the page', async () => {
    const [subject, email, control] = [randomUUID(), newAddress(), newAddress()];
    await producer.send([record(subject, 1, email), welcome(subject), record(randomUUID(), 1, control)]);
    await eventually(async () => expect(await mailsTo(email)).toHaveLength(1), within);
    const link = /\/cancellations\/[\w-]+/.exec((await mailsTo(email))[0]?.text ?? '')?.[0] ?? '';

    const page = await fetch(service.url + link);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.headers.get('referrer-policy')).toBe('no-referrer');
    const subjects = async (address: string) => (await mailsTo(address)).map((one) => one.subject);
    expect((await mail('After the look')).status).toBe(201);
    await eventually(async () => expect(await subjects(email)).toContain('After the look'), within);

    const form = new FormData();
    form.set('List-Unsubscribe', 'One-Click');
    const clicks = [form, new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }), undefined];
    for (const body of clicks) {
      expect((await fetch(service.url + link, { method: 'POST', ...(body && { body }) })).status).toBe(200);
    }
    const sent = (await (await mail('After the click')).json()) as { mailing: string };
    const token = await mintToken(stack.identity, 'privacy-officer', 'officer-1');
    await eventually(async () => {
      const answer = await fetch(`${service.url}/mailings/${sent.mailing}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      const progress = (await answer.json()) as { writtenAt: string | null; mails: object };
      expect(progress).toMatchObject({ subject: 'After the click', mails: { sent: expect.any(Number) } });
      // None of its mails is on its way any more.
      expect(progress.writtenAt).not.toBeNull();
      expect(progress.mails).not.toHaveProperty('queued');
      expect(progress.mails).not.toHaveProperty('sending');
    }, within);
    expect(await subjects(control)).toContain('After the click');
    expect(await subjects(email)).not.toContain('After the click');
    await eventually(async () => {
      expect(await eventsOf('notifications.mailings.v1', mailingCancelled, subject)).toHaveLength(clicks.length);
    }, within);
  });

  it('refuses what it should', async () => {
    expect((await fetch(`${service.url}/cancellations/${'A'.repeat(64)}`, { method: 'POST' })).status).toBe(404);
    expect((await fetch(`${service.url}/mailings`, { method: 'POST' })).status).toBe(401);
    expect(await (await mail('Two\r\nlines')).json()).toMatchObject({ status: 400, field: 'subject' });
    const token = await mintToken(stack.identity, 'support', 'support-1');
    expect(
      (await fetch(`${service.url}/mailings/${randomUUID()}`, { headers: { authorization: `Bearer ${token}` } }))
        .status,
    ).toBe(403);
  });
});
