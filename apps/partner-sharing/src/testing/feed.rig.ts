import { randomUUID } from 'node:crypto';
import {
  encodeEvent,
  encodeTombstone,
  feedRecord,
  newEventId,
  topicsOfRecipient,
  type DataOf,
  type WireMessage,
} from '@castiron/contracts';
import { composeEntry, randomSalts, type ComposedEntry, type EntryDraft } from '@castiron/ledger';
import { connect, readAll, type Kafka, type PlacedMessage, type Producer } from '@castiron/kafka';
import { createLogger, createMetrics } from '@castiron/observability';
import type { DataSource } from 'typeorm';
import { appendEntries } from '../ledger/append-entries.js';
import { FeedReader } from '../reconciler/feed-reader.js';
import { findMissingRecords } from '../reconciler/find-missing-records.js';
import { reconcile } from '../reconciler/reconciler.js';
import { ReconcilerMetrics } from '../reconciler/reconciler-metrics.js';
import { ReleaseSignals } from '../release/release-signals.js';
import { keepShareEntries } from '../release/share-entry.table.js';
import { laneOf } from '../shares/feed-lanes.js';

type Kind = Exclude<EntryDraft['kind'], 'withheld' | 'aborted'>;

/** A share whose records are made by hand. */
export interface SpecShare {
  readonly id: string;
  readonly recipient: string;
  readonly subject: string;
}

/** An entry, and the record that opens it. */
export interface Made {
  readonly share: SpecShare;
  readonly draft: EntryDraft;
  readonly entry: ComposedEntry;
  /** Once the entry has its index. */
  readonly message: WireMessage;
}

/** Feeds and ledger of a database of the spec's own, written by hand with the service's credentials, and their reconciler. */
export class FeedRig {
  readonly signals = new ReleaseSignals();
  readonly metrics = createMetrics('partner-sharing');
  readonly groupId = `partner-sharing.spec-${randomUUID()}`;
  readonly kafka: Kafka;
  private readonly producer: Producer;
  private readonly logger = createLogger('partner-sharing', 'silent');
  private readonly running: FeedReader[] = [];

  constructor(
    readonly database: DataSource,
    broker: {
      readonly bootstrap: string;
      readonly principals: Readonly<Record<string, { readonly username: string; readonly password: string }>>;
    },
  ) {
    const service = broker.principals['partner-sharing'];
    if (service === undefined) throw new Error('the stack has no partner-sharing');
    this.kafka = connect({ brokers: [broker.bootstrap], clientId: 'spec', ...service });
    this.producer = this.kafka.producer();
  }

  async stop(): Promise<void> {
    await Promise.all(this.running.map((reader) => reader.stop()));
    await this.producer.close();
    await this.database.destroy();
  }

  /** One more replica's reader. @param dataSource in place of the database itself */
  async reader({
    dataSource = this.database,
    groupId = this.groupId,
    onCrash = (): void => undefined,
  } = {}): Promise<FeedReader> {
    const metrics = new ReconcilerMetrics(this.metrics);
    const { kafka, signals, logger } = this;
    const reader = new FeedReader({ dataSource, kafka, groupId, signals, logger, metrics });
    this.running.push(reader);
    await reader.start(onCrash);
    return reader;
  }

  reconcile(): Promise<void> {
    const metrics = new ReconcilerMetrics(this.metrics);
    const parts = { dataSource: this.database, kafka: this.kafka, metrics, logger: this.logger };
    return reconcile(parts, new AbortController().signal);
  }

  /** Only what is missing on the feeds, whatever the ledger has more. */
  async findMissing(): Promise<void> {
    await findMissingRecords(this.database, this.kafka, this.logger, new AbortController().signal);
  }

  async share(recipient: string): Promise<SpecShare> {
    const [id, subject] = [randomUUID(), randomUUID()];
    await this.database.query(
      'INSERT INTO shares (id, customer, recipient, subject, lane) VALUES ($1, gen_random_uuid(), $2, $3, $4)',
      [id, recipient, subject, laneOf(subject)],
    );
    return { id, recipient, subject };
  }

  /** An entry in the ledger and its record, which is not on the feed yet. */
  async make(share: SpecShare, version: number, companyName = 'Acme', kind: Kind = 'released'): Promise<Made> {
    const purposes = [{ purpose: 'recommendation', ground: 'permission' }] as const;
    const draft: EntryDraft = {
      id: newEventId(),
      kind,
      at: new Date(),
      recipient: share.recipient,
      recordId: newEventId(),
      version,
      agreement: null,
      policyVersion: 'spec',
      subject: share.subject,
      attributes: kind === 'released' ? { companyName: { purposes, value: companyName } } : {},
    };
    const entry = composeEntry(draft, randomSalts());
    const index = await this.append(share.id, entry);
    const meta = { id: draft.recordId ?? '', time: draft.at, ledgerEntry: draft.id };
    const data: DataOf<typeof feedRecord> = {
      subject: share.subject,
      version,
      entry: draft.id,
      index: index.toString(),
      opening: entry.openings.subject,
      attributes:
        kind === 'released'
          ? {
              companyName: {
                value: companyName,
                purposes: [...purposes],
                opening: entry.openings.attributes['companyName'] ?? '',
              },
            }
          : {},
      mailing: 'stopped',
    };
    const message =
      kind === 'tombstone'
        ? encodeTombstone(feedRecord, share.subject, meta, share.recipient)
        : encodeEvent(feedRecord, data, meta, share.recipient);
    // All of a feed in one partition, in the order in which it is written.
    return { share, draft, entry, message: { ...message, partition: 0 } };
  }

  /** Says that the send of an entry failed. */
  async abort({ share, draft }: Made, reached: 'no' | 'maybe'): Promise<void> {
    const { agreement, recordId, version, subject, recipient, policyVersion } = draft;
    const aborted = { agreement, recordId, version, subject, recipient, policyVersion, attributes: {} };
    const entry = { ...aborted, id: newEventId(), kind: 'aborted', of: draft.id, reached, at: new Date() } as const;
    await this.append(share.id, composeEntry(entry, randomSalts()));
  }

  private append(share: string, entry: ComposedEntry): Promise<bigint> {
    return this.database.transaction(async (manager) => {
      const [appended] = await appendEntries(manager, [entry]);
      const index = appended?.index ?? 0n;
      await keepShareEntries(manager, [{ share, leaf: entry.leaf, index }]);
      return index;
    });
  }

  /** Puts messages on feeds, as who has the service's credentials can. */
  async write(...messages: readonly WireMessage[]): Promise<void> {
    await this.producer.send(messages);
  }

  /** What stands on a feed, as it is read. */
  async feed(recipient: string): Promise<readonly PlacedMessage[]> {
    const found: PlacedMessage[] = [];
    const groupId = `partner-sharing.spec-${randomUUID()}`;
    for await (const message of readAll(this.kafka, topicsOfRecipient(recipient).feed.name, { groupId }))
      found.push(message);
    return found;
  }

  /** The next offset of a feed's first partition to be noted. */
  async position(recipient: string): Promise<number> {
    const rows: { next_offset: string }[] = await this.database.query(
      'SELECT next_offset FROM feed_positions WHERE topic = $1 AND partition = 0',
      [topicsOfRecipient(recipient).feed.name],
    );
    return Number(rows[0]?.next_offset ?? 0);
  }

  /** What was counted of a feed. */
  async counted(
    recipient: string,
  ): Promise<Record<'records' | 'duplicates' | 'groundless' | 'fallen' | 'unobserved', number>> {
    const [row]: Record<string, string>[] = await this.database.query(
      `SELECT sum(records) AS records, sum(duplicates) AS duplicates, sum(groundless) AS groundless, sum(fallen) AS fallen,
         sum(unobserved) AS unobserved FROM feed_positions WHERE topic = $1`,
      [topicsOfRecipient(recipient).feed.name],
    );
    const count = (name: string): number => Number(row?.[name] ?? 0);
    return {
      records: count('records'),
      duplicates: count('duplicates'),
      groundless: count('groundless'),
      fallen: count('fallen'),
      unobserved: count('unobserved'),
    };
  }

  /** Causes of the incidents about a feed, oldest first. */
  async incidents(recipient: string, kind: string): Promise<string[]> {
    const rows: { cause: string }[] = await this.database.query(
      `SELECT cause FROM incidents WHERE kind = $1 AND cause LIKE $2 ORDER BY opened_at, cause`,
      [kind, `${topicsOfRecipient(recipient).feed.name}%`],
    );
    return rows.map(({ cause }) => cause);
  }
}
