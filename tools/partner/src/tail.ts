import { randomUUID } from 'node:crypto';
import {
  agreementNotice,
  decodeMessage,
  encodeEvent,
  FEED_TICK_TYPE,
  feedRecord,
  newEventId,
  noticeDue,
  typeOf,
  withdrawalConfirmed,
  withdrawalDue,
  type DataOf,
  type RawMessage,
} from '@castiron/contracts';
import { connect, readAll, type Consumer, type IncomingMessage, type Kafka, type Producer } from '@castiron/kafka';
import type { TailSettings } from './config.js';
import { readCopy, writeCopy } from './copy-file.js';
import { showChange, showNote, type Paint } from './display.js';
import { PartnerCopy, type Change } from './partner-copy.js';

type Withdrawal = DataOf<typeof withdrawalDue>;

/** How far a partition was read, so that what follows does not take it again. */
type Reached = Map<string, bigint>;

const placeOf = (topic: string, partition: number): string => `${topic}/${partition}`;

/**
 * A partner's side. Reads the feed from its start on every run (a compacted topic is as long as what it holds), so that
 * also what was deleted while nobody read is noticed; refuses to go back in versions; confirms each withdrawal once it
 * is out of the file.
 */
export class Tail {
  private readonly kafka: Kafka;
  private readonly producer: Producer;
  private readonly reached: Reached = new Map();
  private copy: PartnerCopy;
  private consumer: Consumer | undefined;
  private waiting = false;
  /** One batch at a time: two partitions must not write the file at once. */
  private turn: Promise<void> = Promise.resolve();

  constructor(
    private readonly settings: TailSettings,
    private readonly paint: Paint,
    private readonly print: (line: string) => void,
  ) {
    this.kafka = connect({ ...settings.kafka, onLog: ({ message }) => this.heed(message) });
    this.producer = this.kafka.producer();
    this.copy = new PartnerCopy(settings.slug);
  }

  /** Reads everything there is now, and answers every duty that is open. */
  async catchUp(): Promise<void> {
    const { slug, file, topics } = this.settings;
    this.copy = new PartnerCopy(slug, await readCopy(file, slug));
    const onFeed = new Set<string>();
    for await (const message of this.read(topics.feed)) {
      const key = message.key?.toString();
      if (key !== undefined && message.value !== null) onFeed.add(key);
      this.show(this.takeFeed({ ...message, topic: topics.feed }));
    }
    for (const change of this.copy.keepOnly(onFeed)) this.show(change);
    const withdrawals: Withdrawal[] = [];
    for await (const message of this.read(topics.duties))
      withdrawals.push(...this.takeDuty({ ...message, topic: topics.duties }));
    await this.settle(withdrawals);
    this.note(`up to date: ${this.copy.size} held, see ${file}`, 'green');
  }

  /** Goes on with whatever comes, until stopped. */
  async follow(onCrash: (error: Error) => void): Promise<void> {
    const { slug, topics } = this.settings;
    this.consumer = this.kafka.consumer({
      groupId: this.newGroup(slug),
      topics: [topics.feed, topics.duties],
      onCrash,
      onBatch: ({ topic, partition, messages }) => {
        this.turn = this.turn.then(() => this.takeBatch(topic, partition, [...messages]));
        return this.turn;
      },
    });
    await this.consumer.start();
  }

  async stop(): Promise<void> {
    await this.consumer?.stop();
    await this.producer.close();
  }

  /** Nothing of a group is used again: the file says what is known. Its name must begin so, or the broker refuses. */
  private newGroup(slug: string): string {
    return `${slug}.tail-${randomUUID()}`;
  }

  private async *read(topic: string) {
    for await (const message of readAll(this.kafka, topic, { groupId: this.newGroup(this.settings.slug) })) {
      this.reached.set(placeOf(topic, message.partition), BigInt(message.offset));
      yield message;
    }
  }

  private async takeBatch(topic: string, partition: number, messages: readonly IncomingMessage[]): Promise<void> {
    const reached = this.reached.get(placeOf(topic, partition)) ?? -1n;
    const fresh = messages.filter(({ offset }) => BigInt(offset) > reached).map((message) => ({ ...message, topic }));
    if (fresh.length === 0) return;
    this.waiting = false;
    const withdrawals: Withdrawal[] = [];
    for (const message of fresh) {
      if (topic === this.settings.topics.feed) this.show(this.takeFeed(message));
      else withdrawals.push(...this.takeDuty(message));
    }
    await this.settle(withdrawals);
  }

  private takeFeed(message: RawMessage): Change | undefined {
    if (typeOf(message) === FEED_TICK_TYPE) return undefined;
    const decoded = decodeMessage(message, [feedRecord]);
    if (!decoded.ok) return this.note(`a message of the feed was not understood: ${decoded.reason}`, 'red');
    // Sound: only feed records were asked for.
    const record = decoded.event.data as DataOf<typeof feedRecord> | null;
    return record === null ? this.copy.takeTombstone(decoded.event.key) : this.copy.takeRecord(record);
  }

  private takeDuty(message: RawMessage): Withdrawal[] {
    const decoded = decodeMessage(message, [withdrawalDue, agreementNotice, noticeDue]);
    if (!decoded.ok) {
      this.note(`a duty was not understood: ${decoded.reason}`, 'red');
      return [];
    }
    if (decoded.event.contract === agreementNotice) {
      // Sound: the contract was compared.
      const { state, agreement } = decoded.event.data as DataOf<typeof agreementNotice>;
      this.note(`agreement ${agreement} is ${state === 'in-force' ? 'in force' : 'terminated'}`, 'magenta');
    }
    if (decoded.event.contract !== withdrawalDue) return [];
    // Sound: the contract was compared.
    const duty = decoded.event.data as Withdrawal;
    if (this.copy.isConfirmed(duty.obligation)) return [];
    this.show(this.copy.takeWithdrawal(duty));
    return [duty];
  }

  /** Deletes on disk first, confirms then, and remembers last: after a kill it may confirm again, never too early. */
  private async settle(withdrawals: readonly Withdrawal[]): Promise<void> {
    const { file, slug } = this.settings;
    await writeCopy(file, this.copy.toFile());
    if (withdrawals.length === 0) return;
    const now = new Date();
    await this.producer.send(
      withdrawals.map(({ obligation, subject, version }) =>
        encodeEvent(
          withdrawalConfirmed,
          { obligation, subject, version, at: now.toISOString() },
          { id: newEventId(), time: now },
          slug,
        ),
      ),
    );
    for (const { obligation, subject } of withdrawals) {
      this.copy.markConfirmed(obligation, now);
      this.note(`withdrawal confirmed (${subject.slice(0, 8)})`);
    }
    await writeCopy(file, this.copy.toFile());
  }

  /** While following, the client tries for ever; somebody who watches should know why nothing comes. Said once. */
  private heed(message: string): void {
    if (this.consumer === undefined || this.waiting || !message.startsWith('Connection error')) return;
    this.waiting = true;
    this.note(`waiting for the broker: ${message}`, 'yellow');
  }

  private show(change: Change | undefined): void {
    if (change !== undefined) this.print(showChange(this.paint, new Date(), change));
  }

  private note(text: string, colour?: Parameters<typeof showNote>[3]): undefined {
    this.print(showNote(this.paint, new Date(), text, colour));
  }
}
