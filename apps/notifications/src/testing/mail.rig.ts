import { randomBytes, randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import {
  decodeMessage,
  encodeEvent,
  encodeTombstone,
  feedRecord,
  newEventId,
  noticeDue,
  withdrawalDue,
  type DataOf,
  type EventContract,
  type ReceivedEvent,
  type WireMessage,
} from '@castiron/contracts';
import { NoRoom } from '@castiron/failures';
import { createLogger, createMetrics, type Metrics } from '@castiron/observability';
import { appendToOutbox } from '@castiron/outbox';
import { Transactions, type PendingEvent } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import { CancelMailingsUseCase } from '../cancellations/cancel-mailings/cancel-mailings.use-case.js';
import { cancellationsOf } from '../cancellations/cancellation.table.js';
import { CancellationLinks } from '../cancellations/cancellation-links.js';
import { MailServer } from '../mail/mail-server.js';
import { MailWorker } from '../mail/mail-worker.js';
import { writeNextMails } from '../mailings/mailing.table.js';
import { SendMailingUseCase } from '../mailings/send-mailing/send-mailing.use-case.js';
import { publications, SLUG } from '../publications.js';
import { SubjectVault } from '../subjects/subject-vault.js';
import { subscriptions } from '../subscriptions.js';

type Attributes = DataOf<typeof feedRecord>['attributes'];

const meta = () => ({ id: newEventId(), time: new Date() });
const forBoth = [
  { purpose: 'notices' as const, ground: 'own-purpose' as const },
  { purpose: 'mailing' as const, ground: 'permission' as const },
];

/** A value as the feed gives it: for notices and for mailings, unless told. */
export const given = (value: string, purposes = forBoth) => ({ value, purposes: [...purposes], opening: 'AA' });

export const newAddress = (): string => `${randomUUID()}@customer.example`;

interface MailRow {
  readonly id: string;
  readonly status: string;
  readonly attempts: number;
  readonly reason: string | null;
}

interface Received {
  readonly id: string;
  readonly subject: string;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The service without HTTP and Kafka: events are handed to their handlers, as the inbox does. */
export class MailRig {
  readonly vault: SubjectVault;
  readonly links: CancellationLinks;
  readonly metrics: Metrics = createMetrics('test');
  readonly cancelMailings: CancelMailingsUseCase;
  readonly transactions: Transactions;
  private readonly sendMailing: SendMailingUseCase;
  private readonly handlers;
  private readonly workers: MailWorker[] = [];
  private readonly appended: PendingEvent[] = [];
  /** Set where the outbox is to take only what takes back. */
  isFull = false;

  constructor(
    readonly database: DataSource,
    private readonly mail: { readonly smtp: string; readonly api: string },
    private readonly serviceKey = randomBytes(32),
  ) {
    this.vault = new SubjectVault(serviceKey);
    this.links = new CancellationLinks(serviceKey, 'https://mail.example');
    this.handlers = subscriptions(this.vault, () => undefined);
    const append = (events: readonly PendingEvent[]) => {
      if (this.isFull && events.some(({ reserved }) => reserved !== true)) throw new NoRoom('full');
      this.appended.push(...events);
      return appendToOutbox(events);
    };
    this.transactions = new Transactions(database, { append, wake: () => undefined }, publications);
    this.cancelMailings = new CancelMailingsUseCase(database, this.transactions, this.links);
    this.sendMailing = new SendMailingUseCase(this.transactions);
  }

  /** Starts a worker. `vault` may be one that lets the test in between two steps of it. */
  async startWorker({
    smtp = this.mail.smtp,
    vault = this.vault,
    noticeWaitS = 3_600,
    dataSource = this.database,
  } = {}): Promise<void> {
    const worker = new MailWorker({
      dataSource,
      vault,
      links: this.links,
      server: new MailServer(smtp),
      from: 'notices@castiron.example',
      contact: 'privacy@castiron.example',
      noticeWaitS,
      logger: createLogger('test', 'silent'),
      metrics: this.metrics,
    });
    this.workers.push(worker);
    await worker.start();
  }

  async stopWorkers(): Promise<void> {
    for (const worker of this.workers.splice(0)) await worker.stop();
  }

  /** A vault that waits before it answers: a worker that has claimed a mail stands there until the gate opens. */
  gatedVault(): { readonly vault: SubjectVault; readonly reached: Promise<unknown>; open(): void } {
    const gate = new EventEmitter();
    const [reached, opened] = [once(gate, 'reached'), once(gate, 'opened')];
    class GatedVault extends SubjectVault {
      override async load(...args: Parameters<SubjectVault['load']>) {
        gate.emit('reached');
        await opened;
        return super.load(...args);
      }
    }
    return { vault: new GatedVault(this.serviceKey), reached, open: () => gate.emit('opened') };
  }

  async feed(...record: Parameters<MailRig['record']>) {
    await this.take(this.record(...record));
  }

  /** @param known the cancellation that partner-sharing knew of */
  record(
    subject: string,
    version: number,
    attributes: Attributes,
    mailing: 'allowed' | 'stopped' = 'allowed',
    known?: Date,
  ): WireMessage {
    const cancelled = known === undefined ? {} : { mailingCancelledAt: known.toISOString() };
    const data = { ...feedRecord.example, subject, version, attributes, mailing, ...cancelled };
    return encodeEvent(feedRecord, data, meta(), SLUG);
  }

  /** When the cancellation came that is in effect; undefined where none is. */
  async cancelledAt(subject: string): Promise<Date | undefined> {
    return (await cancellationsOf(this.database.manager, [subject])).get(subject);
  }

  async tombstone(subject: string): Promise<void> {
    await this.take(encodeTombstone(feedRecord, subject, meta(), SLUG));
  }

  async notice(subject: string, kind: 'welcome' | 'sharing-started' = 'welcome', notice = randomUUID()): Promise<void> {
    const about = kind === 'welcome' ? {} : { about: 'Northern Hosting' };
    await this.take(encodeEvent(noticeDue, { notice, subject, kind, ...about }, meta(), SLUG));
  }

  async withdraw(subject: string, version: number, obligation: string): Promise<void> {
    const duty = { ...withdrawalDue.example, subject, version, obligation, complete: true };
    await this.take(encodeEvent(withdrawalDue, duty, meta(), SLUG));
  }

  /** Orders a mailing and writes all its mails. */
  async mailing(): Promise<string> {
    const { mailing } = await this.orderMailing();
    while (await writeNextMails(this.database.manager, 100));
    return mailing;
  }

  orderMailing(): Promise<{ mailing: string }> {
    return this.sendMailing.send({ subject: 'News', text: 'Words about products.' }, 'officer-1');
  }

  /** As the link in the subject's mails does. */
  cancel(subject: string): Promise<void> {
    return this.cancelMailings.cancel(this.links.linkOf(subject).split('/').at(-1) ?? '');
  }

  mailsOf(subject: string): Promise<MailRow[]> {
    return this.database.query(
      'SELECT id, status, attempts, reason FROM mails WHERE subject = $1 ORDER BY created_at',
      [subject],
    );
  }

  async statusesOf(subject: string): Promise<string[]> {
    return (await this.mailsOf(subject)).map(({ status }) => status);
  }

  /** The payloads that stand in the outbox under this key. */
  async published(contract: EventContract, key: string): Promise<unknown[]> {
    const rows: { payload: string }[] = await this.database.query(
      'SELECT payload FROM outbox WHERE type = $1 AND aggregateid = $2 ORDER BY id',
      [contract.type, key],
    );
    return rows.map(({ payload }): unknown => JSON.parse(payload));
  }

  /** Of each event, whether it may take the room of a full outbox that is reserved. */
  reserved(contract: EventContract, key: string): (boolean | undefined)[] {
    const events = this.appended.filter(({ type, message }) => type === contract.type && message.key === key);
    return events.map(({ reserved }) => reserved);
  }

  async received(address: string): Promise<Received[]> {
    const all = (await (await fetch(this.mail.api)).json()) as (Received & { to: { address: string }[] })[];
    return all.filter(({ to }) => to.some((one) => one.address === address));
  }

  /** The mail as it came over the wire, with folded header lines joined. */
  async sourceOf({ id }: Received): Promise<string> {
    const source = await (await fetch(`${this.mail.api}/${id}/source`)).text();
    return source.replace(/\r?\n[ \t]+/g, ' ');
  }

  /** As the inbox does with a run of messages of one type: in one transaction. */
  async take(...messages: readonly WireMessage[]): Promise<void> {
    const contracts: EventContract[] = this.handlers.map(({ contract }) => contract);
    const events = messages.map((message): ReceivedEvent => {
      const decoded = decodeMessage(message, contracts);
      if (!decoded.ok) throw new Error(decoded.detail);
      return decoded.event;
    });
    const handler = this.handlers.find(({ contract }) => contract === events[0]?.contract);
    const keys = events.flatMap((event) => handler?.keys(event) ?? []);
    await this.transactions.run(keys, async (tx) => handler?.handle(events, tx));
  }
}
