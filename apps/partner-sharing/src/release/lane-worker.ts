import { RENEW_PRODUCER_MS, type FencedProducer, type Kafka } from '@castiron/kafka';
import type { Logger } from '@castiron/observability';
import type { Transactions } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import { recordMessage } from './compose-record.js';
import type { FeedEnds } from './feed-ends.js';
import { findSent } from './find-sent.js';
import { ownership, STILL_OWNED, type Lane } from './lane-leases.js';
import { outcomeOf, type SendingRow } from './outcome.js';
import { prepareBatch, type KeySource, type PreparedBatch } from './prepare-batch.js';
import { LaneLost, releaseBatch, type ReleasedBatch } from './release-batch.js';
import type { ReleaseSignals } from './release-signals.js';
import { settleAborted } from './settle-aborted.js';
import { settleSent } from './settle-batch.js';

export interface LaneParts {
  readonly dataSource: DataSource;
  readonly transactions: Transactions;
  readonly kafka: Kafka;
  readonly keys: KeySource;
  readonly signals: ReleaseSignals;
  readonly logger: Logger;
  /** Other names than {@link producerOf} gives, for tests that share a broker. */
  readonly producerName?: (lane: number) => string;
}

const LONGEST_PAUSE_S = 60;

/** A name that this service's principal alone may use; whoever opens it shuts out those before. */
const producerOf = (lane: number): string => `feed-lane-${lane}`;

/** One lane in the hands of one owner: opens its producer, settles what a predecessor left, and releases batch by batch. */
export class LaneWorker {
  private producer: FencedProducer | undefined;
  private opening: FencedProducer | undefined;
  private openedAt = -Infinity;
  private readonly givenUp = new AbortController();

  private readonly keys: KeySource = {
    keysOf: (customers) =>
      this.parts.keys.keysOf(customers).catch((error: unknown) => {
        this.parts.logger.warn({ err: error }, 'key custody gives no keys: what needs them waits');
        throw error;
      }),
  };

  constructor(
    readonly lane: Lane,
    private readonly parts: LaneParts,
    private readonly feedEnds: FeedEnds,
    /** In ms. */
    private readonly sendWithin: number,
  ) {}

  /**
   * One batch: prepare, release, send, settle.
   * @returns whether more work may be waiting
   * @throws where Kafka or the database fails; calling it again first finds out what became of the batch
   */
  async step(): Promise<boolean> {
    const producer = await this.opened();
    const { dataSource, transactions, signals, logger } = this.parts;
    const sources = { keys: this.keys, feedEnds: this.feedEnds };
    const prepared = await prepareBatch(dataSource, this.lane.lane, sources, (share, error) =>
      logger.error({ share, err: error }, 'a share could not be composed'),
    );
    await this.putAside(prepared);
    if (prepared.records.length === 0) return prepared.full;
    try {
      const released = await releaseBatch(transactions, this.lane, prepared.records);
      if (released.records.length === 0) return true;
      const messages = released.records.map(({ prepared: record, index }) => recordMessage(record, index));
      this.feedEnds.note(await producer.send(messages));
      await settleSent(dataSource, transactions, signals, this.rowsOf(released));
      return prepared.full || released.records.length < prepared.records.length;
    } catch (error) {
      // Nobody knows whether it was released, sent, or all settled: whoever opens the producer anew finds out.
      // Where the lane is another's, it would shut that one out.
      if (!(error instanceof LaneLost)) await this.dropProducer();
      throw error;
    }
  }

  /** A batch under way ends soon; a producer that opens, or a feed that is read, may wait long for its broker. */
  async giveUpOpening(): Promise<void> {
    this.givenUp.abort();
    await this.opening?.close();
  }

  async close(): Promise<void> {
    await this.giveUpOpening();
    await this.dropProducer();
  }

  private async opened(): Promise<FencedProducer> {
    if (performance.now() - this.openedAt > RENEW_PRODUCER_MS) await this.dropProducer();
    return this.producer ?? this.takeOver();
  }

  private async takeOver(): Promise<FencedProducer> {
    const producer = this.parts.kafka.fencedProducer((this.parts.producerName ?? producerOf)(this.lane.lane), {
      sendWithin: this.sendWithin,
    });
    this.opening = producer;
    try {
      await producer.open();
      this.openedAt = performance.now();
      await this.settleLeftovers(producer);
    } catch (error) {
      await producer.close().catch(() => undefined);
      throw error;
    } finally {
      this.opening = undefined;
    }
    this.producer = producer;
    return producer;
  }

  /**
   * What was released before the producer was opened, and of which nobody knows whether it was sent. What has a larger token is a
   * later owner's: had this process been held up since it opened its producer, that could still be sent.
   */
  private async settleLeftovers(producer: FencedProducer): Promise<void> {
    const rows: SendingRow[] = await this.parts.dataSource.query(
      `SELECT share, lane, token, batch, entry, agreement, outcome, clock_timestamp() - at > interval '12 hours' AS "isOld"
       FROM sending_records WHERE lane = $1 AND token <= $2 ORDER BY share`,
      [this.lane.lane, this.lane.token.toString()],
    );
    const failures: unknown[] = [];
    for (const [recipient, own] of Map.groupBy(rows, ({ outcome }) => outcome.recipient)) {
      try {
        await this.settleLeftoversOf(recipient, own, producer);
      } catch (error) {
        // A feed that cannot be written holds up what follows in the lane, but not what is known of other feeds.
        failures.push(error);
        await producer.open();
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  private async settleLeftoversOf(
    recipient: string,
    rows: readonly SendingRow[],
    producer: FencedProducer,
  ): Promise<void> {
    const { dataSource, transactions, signals, kafka, logger } = this.parts;
    const { sent, notSent, unknown } = await findSent(recipient, rows, producer, kafka, this.givenUp.signal);
    const counts = { sent: sent.length, notSent: notSent.length, unknown: unknown.length };
    logger.warn({ lane: this.lane.lane, recipient, ...counts }, 'settling what was left sending');
    await settleSent(dataSource, transactions, signals, sent);
    await settleAborted(dataSource, transactions, signals, notSent, 'no');
    await settleAborted(dataSource, transactions, signals, unknown, 'maybe');
  }

  /** What another owner is sending is in no share yet, so that rows of a lane that is lost may be unanswered after all. */
  private async putAside({ answered, postponed }: PreparedBatch): Promise<void> {
    const { dataSource } = this.parts;
    if (answered.length > 0)
      await dataSource.query(`DELETE FROM pending_releases WHERE id = ANY($4::bigint[]) AND EXISTS (${STILL_OWNED})`, [
        ...ownership(this.lane),
        answered,
      ]);
    for (const { ids, ms } of postponed) {
      await dataSource.query(
        // The longer it has waited the longer: what goes on for hours is not to rewrite all of a lane each second.
        `UPDATE pending_releases SET not_before = clock_timestamp() + greatest(
           make_interval(secs => $5), least((clock_timestamp() - at) / 4, make_interval(secs => $6)))
         WHERE id = ANY($4::bigint[]) AND EXISTS (${STILL_OWNED})`,
        [...ownership(this.lane), ids, ms / 1000, LONGEST_PAUSE_S],
      );
    }
  }

  private rowsOf({ batch, records }: ReleasedBatch): SendingRow[] {
    return records.map(({ prepared, index }) => ({
      share: prepared.share.id,
      lane: this.lane.lane,
      token: this.lane.token.toString(),
      batch,
      entry: prepared.entry.leaf.id,
      agreement: prepared.share.agreement,
      outcome: outcomeOf(prepared, index),
      isOld: false,
    }));
  }

  private async dropProducer(): Promise<void> {
    const producer = this.producer;
    this.producer = undefined;
    await producer?.close().catch(() => undefined);
  }
}
