import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import {
  encodeEvent,
  encodeTombstone,
  decodeMessage,
  feedRecord,
  mailingCancelled,
  newEventId,
  noticeDue,
  withdrawalConfirmed,
  withdrawalDue,
  type DataOf,
  type EventContract,
  type ReceivedEvent,
  type WireMessage,
} from '@castiron/contracts';
import { createLogger, createMetrics } from '@castiron/observability';
import { appendToOutbox, outboxMigrations } from '@castiron/outbox';
import { eventually, freshDatabase } from '@castiron/testing';
import { Transactions } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { CancelMailingsUseCase } from '../cancellations/cancel-mailings/cancel-mailings.use-case.js';
import { CancellationLinks } from '../cancellations/cancellation-links.js';
import { databaseMigrations } from '../database.js';
import { progressOfMailing } from '../mailings/mailing.table.js';
import { SendMailingUseCase } from '../mailings/send-mailing/send-mailing.use-case.js';
import { SLUG } from '../publications.js';
import { SubjectVault } from '../subjects/subject-vault.js';
import { subscriptions } from '../subscriptions.js';
import { MailServer } from './mail-server.js';
import { MailWorker } from './mail-worker.js';

const serviceKey = randomBytes(32);
const vault = new SubjectVault(serviceKey);
const links = new CancellationLinks(serviceKey, 'https://mail.example');
const handlers = subscriptions(vault, () => undefined);
let database: DataSource;
let transactions: Transactions;
let cancelMailings: CancelMailingsUseCase;
let sendMailing: SendMailingUseCase;
const stops: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  database = await freshDatabase([...databaseMigrations, ...outboxMigrations]);
  transactions = new Transactions(database, { append: appendToOutbox, wake: () => undefined });
  cancelMailings = new CancelMailingsUseCase(database, transactions, vault, links);
  sendMailing = new SendMailingUseCase(transactions, () => undefined);
});
afterAll(() => database.destroy());
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** Hands a message to its handler, in a transaction, as the inbox does. */
async function take(message: WireMessage): Promise<void> {
  const contracts: EventContract[] = handlers.map(({ contract }) => contract);
  const decoded = decodeMessage(message, contracts);
  if (!decoded.ok) throw new Error(decoded.detail);
  const event: ReceivedEvent = decoded.event;
  const handler = handlers.find(({ contract }) => contract === event.contract);
  await transactions.run(handler?.keys(event) ?? [], async (tx) => handler?.handle([event], tx));
}

const meta = () => ({ id: newEventId(), time: new Date() });
type Attributes = DataOf<typeof feedRecord>['attributes'];
const forBoth = [
  { purpose: 'notices' as const, ground: 'own-purpose' as const },
  { purpose: 'mailing' as const, ground: 'permission' as const },
];
const given = (value: string, purposes = forBoth) => ({ value, purposes: [...purposes], opening: 'AA' });
const feed = (subject: string, version: number, attributes: Attributes, mailing: 'allowed' | 'stopped' = 'allowed') =>
  take(encodeEvent(feedRecord, { ...feedRecord.example, subject, version, attributes, mailing }, meta(), SLUG));
const notice = (subject: string, kind: 'welcome' | 'sharing-started' = 'welcome', id = randomUUID()) =>
  take(
    encodeEvent(
      noticeDue,
      { notice: id, subject, kind, ...(kind !== 'welcome' && { about: 'Northern Hosting' }) },
      meta(),
      SLUG,
    ),
  );
const withdraw = (subject: string, version: number, obligation = randomUUID()) =>
  take(
    encodeEvent(
      withdrawalDue,
      { ...withdrawalDue.example, subject, version, obligation, complete: true },
      meta(),
      SLUG,
    ),
  );

interface MailRow {
  id: string;
  kind: string;
  status: string;
  attempts: number;
  reason: string | null;
}
const mailsOf = (subject: string): Promise<MailRow[]> =>
  database.query('SELECT id, kind, status, attempts, reason FROM mails WHERE subject = $1 ORDER BY created_at', [
    subject,
  ]);
const statusesOf = async (subject: string): Promise<string[]> => (await mailsOf(subject)).map(({ status }) => status);

async function startWorker(smtpUrl = inject('stack').mail.smtp): Promise<void> {
  const worker = new MailWorker({
    dataSource: database,
    vault,
    links,
    server: new MailServer(smtpUrl),
    from: 'notices@castiron.example',
    contact: 'privacy@castiron.example',
    logger: createLogger('test', 'silent'),
    metrics: createMetrics('test'),
  });
  stops.push(() => worker.stop());
  await worker.start();
}

interface Received {
  readonly id: string;
  readonly subject: string;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}
async function received(address: string): Promise<Received[]> {
  const all = (await (await fetch(inject('stack').mail.api)).json()) as (Received & { to: { address: string }[] })[];
  return all.filter(({ to }) => to.some((one) => one.address === address));
}
/** The mail as it came over the wire, with folded header lines joined. */
async function sourceOf({ id }: Received): Promise<string> {
  const source = await (await fetch(`${inject('stack').mail.api}/${id}/source`)).text();
  return source.replace(/\r?\n[ \t]+/g, ' ');
}
const newAddress = (): string => `${randomUUID()}@customer.example`;
const published = (contract: EventContract, key: string): Promise<{ payload: string }[]> =>
  database.query('SELECT payload FROM outbox WHERE type = $1 AND aggregateid = $2', [contract.type, key]);

describe('a notice', () => {
  it('waits for the feed record of its subject, then leaves as mail', async () => {
    const [subject, email] = [randomUUID(), newAddress()];
    await notice(subject, 'sharing-started');
    expect(await statusesOf(subject)).toEqual(['waiting']);
    await feed(subject, 1, { email: given(email), companyName: given('Example Ltd') });
    await startWorker();
    await eventually(async () => expect(await statusesOf(subject)).toEqual(['sent']));
    const [mail, ...more] = await received(email);
    expect(more).toEqual([]);
    expect(mail?.subject).toBe('Your data is now shared with Northern Hosting');
    expect(mail?.text).toContain('Dear Example Ltd');
    expect(mail?.headers['message-id']).toBe(`<${(await mailsOf(subject))[0]?.id}@castiron.example>`);
    expect(mail && (await sourceOf(mail))).not.toMatch(/^List-Unsubscribe/m);
  });

  it('is recorded as no-address where the feed has no e-mail, or none for notices', async () => {
    const [none, other] = [randomUUID(), randomUUID()];
    await notice(none);
    await feed(none, 1, { companyName: given('Example Ltd') });
    await feed(other, 1, { email: given(newAddress(), [{ purpose: 'mailing', ground: 'permission' }]) });
    await notice(other);
    expect(await statusesOf(none)).toEqual(['no-address']);
    expect(await statusesOf(other)).toEqual(['no-address']);
  });

  it('makes one mail however often it is delivered', async () => {
    const [subject, id] = [randomUUID(), randomUUID()];
    await feed(subject, 1, {});
    await notice(subject, 'welcome', id);
    await notice(subject, 'welcome', id);
    expect(await mailsOf(subject)).toHaveLength(1);
  });

  it('adds no recipient and no header, whatever the customer wrote', async () => {
    const subject = randomUUID();
    await feed(subject, 1, { email: given('a@b.example\r\nBcc: victim@customer.example') });
    await notice(subject);
    expect(await statusesOf(subject)).toEqual(['no-address']);
  });
});

describe('a mail', () => {
  it('is tried again under the same Message-ID after its worker died', async () => {
    const [subject, email] = [randomUUID(), newAddress()];
    await feed(subject, 1, { email: given(email) });
    await notice(subject);
    // What a worker leaves that was killed after the server took the mail.
    await database.query(
      `UPDATE mails SET status = 'sending', claim = gen_random_uuid(), attempts = 1, claimed_at = now() - interval '61 s' WHERE subject = $1`,
      [subject],
    );
    await startWorker();
    await eventually(async () => expect(await mailsOf(subject)).toMatchObject([{ status: 'sent', attempts: 2 }]));
    expect((await received(email))[0]?.headers['message-id']).toBe(
      `<${(await mailsOf(subject))[0]?.id}@castiron.example>`,
    );
  });

  it('stays queued while the mail server is away, and leaves once it is back', async () => {
    const [subject, email] = [randomUUID(), newAddress()];
    await feed(subject, 1, { email: given(email) });
    await notice(subject);
    await startWorker('smtp://127.0.0.1:1');
    await eventually(async () =>
      expect(await mailsOf(subject)).toMatchObject([{ status: 'queued', reason: 'ESOCKET' }]),
    );
    for (const stop of stops.splice(0)) await stop();
    await database.query('UPDATE mails SET due_at = now() WHERE subject = $1', [subject]);
    await startWorker();
    await eventually(async () => expect(await statusesOf(subject)).toEqual(['sent']));
  });

  it('is given up where the server refuses it for good', async () => {
    const subject = randomUUID();
    await feed(subject, 1, { email: given(newAddress()) });
    await notice(subject);
    const { url } = await refusingServer();
    await startWorker(url);
    await eventually(async () =>
      expect(await mailsOf(subject)).toMatchObject([{ status: 'failed', reason: 'smtp-550', attempts: 1 }]),
    );
  });
});

describe('what is held of a subject', () => {
  it('is unreadable in the tables, and its key is gone with the withdrawal, which is then confirmed', async () => {
    const [subject, email, obligation] = [randomUUID(), newAddress(), randomUUID()];
    await feed(subject, 1, { email: given(email) });
    const dump = async (): Promise<string> =>
      JSON.stringify(
        await database.query(`SELECT s::text, encode(sealed, 'escape') AS plain FROM subjects s WHERE subject = $1`, [
          subject,
        ]),
      );
    expect(await dump()).not.toContain(email);
    const keys = (): Promise<unknown[]> => database.query('SELECT FROM subject_keys WHERE subject = $1', [subject]);
    expect(await keys()).toHaveLength(1);

    await withdraw(subject, 2, obligation);
    expect(await keys()).toEqual([]);
    const [reply] = await published(withdrawalConfirmed, subject);
    expect(JSON.parse(reply?.payload ?? '{}')).toMatchObject({ obligation, subject, version: 2 });

    // The record that was on its way brings nothing back; neither does one before it.
    await feed(subject, 1, { email: given(email) });
    expect(await keys()).toEqual([]);
  });

  it('does not go back in versions, and ends with a tombstone', async () => {
    const [subject, email] = [randomUUID(), newAddress()];
    await feed(subject, 3, { email: given(email) });
    await feed(subject, 2, { email: given('old@customer.example') });
    const held = await vault.load(database.manager, subject);
    expect(held.attributes.email?.value).toBe(email);
    await take(encodeTombstone(feedRecord, subject, meta(), SLUG));
    expect(await vault.load(database.manager, subject)).toMatchObject({ version: 3, deleted: true, attributes: {} });
    expect(await database.query('SELECT FROM subject_keys WHERE subject = $1', [subject])).toEqual([]);
  });
});

describe('a mailing', () => {
  const words = { subject: 'News', text: 'Words about products.' };

  it('goes to whom the feed allows, with one-click headers (RFC 8058)', async () => {
    const [reader, other, email] = [randomUUID(), randomUUID(), newAddress()];
    await feed(reader, 1, { email: given(email) });
    await feed(other, 1, { email: given(newAddress()) }, 'stopped');
    const { mailing } = await sendMailing.send(words, 'officer-1');
    await startWorker();
    await eventually(async () => expect(await statusesOf(reader)).toEqual(['sent']));
    expect(await mailsOf(other)).toEqual([]);
    const [mail] = await received(email);
    if (mail === undefined) throw new Error('no mail');
    const source = await sourceOf(mail);
    expect(source).toContain(`List-Unsubscribe: <${links.linkOf(reader)}>`);
    expect(source).toContain('List-Unsubscribe-Post: List-Unsubscribe=One-Click');
    expect(mail.text).toContain(links.linkOf(reader));
    const progress = await progressOfMailing(database.manager, mailing);
    expect(progress?.mails.sent).toBeGreaterThan(0);
  });

  const tokenOf = (subject: string): string => links.linkOf(subject).split('/').at(-1) ?? '';

  it('is stopped by a cancellation: the queued ones, the next ones, and partners are told once', async () => {
    const subject = randomUUID();
    await feed(subject, 1, { email: given(newAddress()) });
    await sendMailing.send(words, 'officer-1');
    expect(await statusesOf(subject)).toEqual(['queued']);
    await cancelMailings.cancel(tokenOf(subject));
    await cancelMailings.cancel(tokenOf(subject));
    expect(await statusesOf(subject)).toEqual(['cancelled']);
    expect(await published(mailingCancelled, subject)).toHaveLength(1);

    await sendMailing.send(words, 'officer-1');
    // A record made before partner-sharing heard of it must not end the cancellation.
    await feed(subject, 2, { email: given(newAddress()) });
    await sendMailing.send(words, 'officer-1');
    expect(await statusesOf(subject)).toEqual(['cancelled']);
    await notice(subject);
    expect(await statusesOf(subject)).toEqual(['cancelled', 'queued']);
  });

  it('may come again after the customer permitted it anew', async () => {
    const subject = randomUUID();
    await feed(subject, 1, { email: given(newAddress()) });
    await cancelMailings.cancel(tokenOf(subject));
    await feed(subject, 2, { email: given(newAddress()) }, 'stopped');
    await sendMailing.send(words, 'officer-1');
    expect(await statusesOf(subject)).toEqual([]);
    await feed(subject, 3, { email: given(newAddress()) });
    await sendMailing.send(words, 'officer-1');
    expect(await statusesOf(subject)).toEqual(['queued']);
  });

  it('that is on its way holds up the answer to a cancellation until it has left', async () => {
    const subject = randomUUID();
    await feed(subject, 1, { email: given(newAddress()) });
    await sendMailing.send(words, 'officer-1');
    // Nothing of the tests before may take this worker's time.
    await database.query(`UPDATE mails SET status = 'cancelled' WHERE status = 'queued' AND subject <> $1`, [subject]);
    const server = await stallingServer();
    await startWorker(server.url);
    await server.greeted(subject);
    let answered = false;
    const cancelling = cancelMailings.cancel(tokenOf(subject)).then(() => (answered = true));
    await eventually(async () => expect(await published(mailingCancelled, subject)).toHaveLength(1));
    expect(answered).toBe(false);
    server.end();
    await cancelling;
    expect(await statusesOf(subject)).not.toEqual(['sending']);
  });
});

async function listen(server: Server): Promise<{ url: string }> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(() => new Promise((resolve) => server.close(resolve)));
  const address = server.address();
  return { url: `smtp://127.0.0.1:${typeof address === 'object' ? address?.port : 0}` };
}

/** Knows nobody. */
const refusingServer = (): Promise<{ url: string }> =>
  listen(
    createServer((socket) => {
      socket.on('error', () => undefined).write('220 ready\r\n');
      socket.on('data', (line) => {
        socket.write(/^RCPT/i.test(line.toString()) ? '550 nobody here\r\n' : '250 ok\r\n');
      });
    }),
  );

/** Takes connections and says nothing until it is ended. */
async function stallingServer() {
  const sockets: { destroy(): unknown }[] = [];
  const { url } = await listen(
    createServer((socket) => {
      sockets.push(socket.on('error', () => undefined));
    }),
  );
  return {
    url,
    greeted: (subject: string) => eventually(async () => expect(await statusesOf(subject)).toEqual(['sending'])),
    end: () => sockets.forEach((socket) => socket.destroy()),
  };
}
