import type { Kafka, TransactionalProducer } from '@castiron/kafka';
import type { Logger } from '@castiron/observability';
import type { Transactions } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import { recordMessage } from './compose-record.js';
import { journalMessage, type LaneJournal } from './lane-journal.js';
import { ownership, STILL_OWNED, type Lane } from './lane-leases.js';
import { outcomeOf, type SendingRow } from './outcome.js';
import { prepareBatch, type KeySource, type PreparedBatch } from './prepare-batch.js';
import { LaneLost, releaseBatch, type ReleasedBatch } from './release-batch.js';
import type { ReleaseSignals } from './release-signals.js';
import { settleAborted } from './settle-aborted.js';
import { settleCommitted } from './settle-batch.js';

export interface LaneParts {
  readonly dataSource: DataSource;
  readonly transactions: Transactions;
  readonly kafka: Kafka;
  readonly journal: LaneJournal;
  readonly keys: KeySource;
  readonly signals: ReleaseSignals;
  readonly logger: Logger;
  /** Other names than {@link transactionalIdOf} gives, for tests that share a broker. */
  readonly transactionalId?: (lane: number) => string;
}

const LONGEST_PAUSE_S = 60;

/** Writable by this service's principal alone; whoever opens it shuts its predecessor out. */
const transactionalIdOf = (lane: number): string => `feed-lane-${lane}`;

/** One lane in the hands of one owner: opens its producer, settles what a predecessor left, and releases batch by batch. */
export class LaneWorker {
  private producer: TransactionalProducer | undefined;
  private opening: TransactionalProducer | undefined;
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
  ) {}

  /**
   * One batch: prepare, release, send, settle.
   * @returns whether more work may be waiting
   * @throws where Kafka or the database fails; calling it again first finds out what became of the batch
   */
  async step(): Promise<boolean> {
    const producer = this.producer ?? (await this.takeOver());
    const { dataSource, transactions, signals, logger } = this.parts;
    const prepared = await prepareBatch(dataSource, this.lane.lane, this.keys, (share, error) =>
      logger.error({ share, err: error }, 'a share could not be composed'),
    );
    await this.putAside(prepared);
    if (prepared.records.length === 0) return prepared.full;
    try {
      const released = await releaseBatch(transactions, this.lane, prepared.records);
      if (released.records.length === 0) return true;
      await producer.send(
        released.records.map(({ prepared: record, index }) => recordMessage(record, index)),
        [journalMessage(this.lane.lane, this.lane.token, released.batch)],
      );
      await settleCommitted(dataSource, transactions, signals, this.rowsOf(released));
      return prepared.full || released.records.length < prepared.records.length;
    } catch (error) {
      // Nobody knows whether it was released, committed, or all settled: a fresh InitProducerId and the journal can tell.
      // Where the lane is another's, they would shut that one out.
      if (!(error instanceof LaneLost)) await this.dropProducer();
      throw error;
    }
  }

  /** A batch under way ends soon; a producer that opens, or a journal that is read, may wait long for its broker. */
  async giveUpOpening(): Promise<void> {
    this.givenUp.abort();
    await this.opening?.close();
  }

  async close(): Promise<void> {
    await this.giveUpOpening();
    await this.dropProducer();
  }

  private async takeOver(): Promise<TransactionalProducer> {
    const producer = this.parts.kafka.transactionalProducer(
      (this.parts.transactionalId ?? transactionalIdOf)(this.lane.lane),
    );
    this.opening = producer;
    try {
      await producer.open();
      await this.settleLeftovers();
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
   * All rows of a batch share one fate, and the lane's journal tells which. Those of a larger token are a later owner's:
   * had this process been held up since it opened its producer, they could still be sent.
   */
  private async settleLeftovers(): Promise<void> {
    const { dataSource, transactions, signals, journal, logger } = this.parts;
    const rows: SendingRow[] = await dataSource.query(
      'SELECT share, lane, token, batch, entry, agreement, outcome FROM sending_records WHERE lane = $1 AND token <= $2 ORDER BY batch',
      [this.lane.lane, this.lane.token.toString()],
    );
    if (rows.length === 0) return;
    const committed = await journal.batchesSent(this.lane.lane, this.givenUp.signal);
    for (const batch of new Set(rows.map((row) => row.batch))) {
      const own = rows.filter((row) => row.batch === batch);
      logger.warn(
        { lane: this.lane.lane, batch, records: own.length, committed: committed.has(batch) },
        'settling what was left sending',
      );
      if (committed.has(batch)) await settleCommitted(dataSource, transactions, signals, own);
      else await settleAborted(dataSource, transactions, signals, own);
    }
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
    }));
  }

  private async dropProducer(): Promise<void> {
    const producer = this.producer;
    this.producer = undefined;
    await producer?.close().catch(() => undefined);
  }
}
