import { MAX_EVENT_BYTES } from '@castiron/contracts';
import { pauseAfter } from '@castiron/failures';
import { RENEW_PRODUCER_MS, type EncodedMessage, type FencedProducer } from '@castiron/kafka';
import type { LaneCursor, Place } from './lane-cursors.js';
import { isExhausted, type Page } from './read-page.js';

/** Of one send: all of it may be of one partition, whose records the broker takes as one message. */
const SEND_BYTES = MAX_EVENT_BYTES;
/** Sent longer than this, a lane is left behind by those that read together with it. */
const SLOW_MS = 100;
const PAUSE_MS = { first: 100, longest: 3_000 };

interface Waiting {
  readonly message: EncodedMessage;
  /** Where the lane stands once this is sent. */
  readonly after: Place;
}

/** What a lane tells the relay, and asks of it. */
export interface LaneEvents {
  /** Whether this process still holds the lane, by the database's word. */
  isHeld(lane: Lane): Promise<boolean>;
  sent(lane: Lane, events: number): void;
  failed(lane: Lane, error: unknown): void;
}

/** A lane that this process holds: sends what was read for it, in order, while more is read. */
export class Lane implements LaneCursor {
  readonly lane: number;
  readonly token: string;
  readonly incarnation: string;
  /** Everything up to here is on its topics. */
  cursor: Place;
  /** Everything up to here is read. */
  read: Place;
  /** Whether the cursor has moved since it was last written. */
  isMoved = false;
  failures = 0;
  retryAt = 0;
  private waiting: Waiting[] = [];
  private waitingBytes = 0;
  /**
   * Messages of one send. After a failure few, and twice as many with each success: where one is refused, those beside it are
   * written all the same, and would be with each retry. A lane taken anew may come from an owner that failed.
   */
  private most = 1;
  /** Not told by a promise's end, which comes a moment later: what is taken in between would wait for the next page. */
  private isSending = false;
  private sent: Promise<void> = Promise.resolve();
  private sendingSince = 0;
  private openedAt = -Infinity;
  private failingSince: number | undefined;
  private ended = false;

  constructor(
    { lane, token, incarnation, cursor }: LaneCursor,
    private readonly producer: FencedProducer,
    private readonly events: LaneEvents,
  ) {
    this.lane = lane;
    this.token = token;
    this.incarnation = incarnation;
    this.read = this.cursor = cursor;
  }

  /** Whether more may be read for it: one that failed shows first that it can send. */
  hasRoom(): boolean {
    return this.failures > 0 ? !this.isSending : this.waitingBytes < SEND_BYTES / 2;
  }

  /** Whether nothing could be sent for so long, in ms, and nothing is being tried just now. */
  hasFailedFor(ms: number): boolean {
    return !this.isSending && this.failingSince !== undefined && performance.now() - this.failingSince > ms;
  }

  isSlow(): boolean {
    return this.isSending && performance.now() - this.sendingSince > SLOW_MS;
  }

  /** Lanes that answer the same are read for with one query. One that failed is by itself until it has sent something. */
  place(): string {
    if (this.failures > 0) return `lane ${this.lane}`;
    return isExhausted(this.read) ? 'news' : `${this.read.reading} ${this.read.lastId}`;
  }

  /**
   * Takes its rows of a page that was read for it, and sends them in turn.
   * @param from where the lane stood when the page was asked for. Where a send failed meanwhile it has gone back, and what
   *   it is to send again comes before this page: the page is read anew after that.
   */
  take(page: Page, from: Place): void {
    if (this.read !== from) return;
    const { settled } = from;
    const rows = page.rows.filter(({ lane }) => lane === this.lane);
    const after = page.after(settled);
    // So that, should the send fail, the same rows are found by id.
    if (rows.length > 0 && !this.isSending) this.cursor = page.before(settled);
    this.read = after;
    for (const [n, { id, message }] of rows.entries()) {
      this.waiting.push({
        message,
        after: n === rows.length - 1 ? after : { ...page.before(settled), lastId: id },
      });
      this.waitingBytes += message.bytes;
    }
    if (!this.isSending) this.sent = this.sendAll();
  }

  /** Ends the send under way, and sends no more. */
  async end(): Promise<void> {
    this.ended = true;
    // Gives up at once what still opens, and waits for what is being sent.
    await Promise.all([this.producer.close(), this.sent]);
  }

  private async sendAll(): Promise<void> {
    this.isSending = true;
    try {
      while (this.waiting.length > 0 && !this.ended) {
        this.sendingSince = performance.now();
        await this.open();
        const batch = this.nextBatch();
        await this.producer.send(batch.map(({ message }) => message));
        this.cursor = batch.at(-1)?.after ?? this.cursor;
        this.isMoved = true;
        this.most *= 2;
        this.failingSince = undefined;
        this.events.sent(this, batch.length);
      }
      // What followed held nothing for this lane.
      if (this.waiting.length === 0) this.cursor = this.read;
      this.failures = 0;
      this.most = Infinity;
    } catch (error) {
      this.startAgain();
      if (!this.ended) this.events.failed(this, error);
    } finally {
      this.isSending = false;
    }
  }

  /**
   * A producer shuts out its predecessors, so it must not be one of a process that lost the lane meanwhile: asked after it
   * was opened, the database's yes holds for all that is sent until a successor opens its own.
   */
  private async open(): Promise<void> {
    if (performance.now() - this.openedAt < RENEW_PRODUCER_MS) return;
    await this.producer.open();
    if (!(await this.events.isHeld(this))) throw new Error(`lane ${this.lane} belongs to another process`);
    this.openedAt = performance.now();
  }

  private nextBatch(): Waiting[] {
    let bytes = 0;
    const end = this.waiting.findIndex((it, n) => (bytes += it.message.bytes) > SEND_BYTES && n > 0);
    const batch = this.waiting.splice(0, Math.min(this.most, end === -1 ? this.waiting.length : end));
    this.waitingBytes -= batch.reduce((sum, it) => sum + it.message.bytes, 0);
    return batch;
  }

  private startAgain(): void {
    this.waiting = [];
    this.waitingBytes = 0;
    this.read = this.cursor;
    this.openedAt = -Infinity;
    this.failures += 1;
    this.most = 1;
    this.failingSince ??= performance.now();
    this.retryAt = performance.now() + pauseAfter(this.failures, PAUSE_MS);
  }
}
