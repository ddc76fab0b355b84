import { feeds } from '@castiron/contracts';
import type { DataSource } from 'typeorm';
import { openIncidentsOf, type IncidentKind } from '../incidents/incident.table.js';

/** What was found on a partition of a feed. */
export interface PartitionFindings {
  readonly partition: number;
  /** The next offset to be read; all before it was noted. 64 bits. */
  readonly next: string;
  /** When that moved last. */
  readonly readAt: string;
  /** First records of their entries. */
  readonly records: string;
  /** Copies of records, byte by byte. */
  readonly duplicates: string;
  /** Each an incident, `disclosure-without-a-ground`. */
  readonly groundless: string;
  /** Each an incident, `version-fell`, and mended. */
  readonly fallen: string;
  /** Offsets that were gone before they could be read: nobody knows what stood there. */
  readonly unobserved: string;
}

export interface Reconciliation {
  readonly feeds: readonly { readonly recipient: string; readonly partitions: readonly PartitionFindings[] }[];
  readonly ledger: {
    /** All entries before this index were compared with the feeds. 64 bits. */
    readonly comparedTo: string;
    /** Entries whose record was not seen yet, as of those that are being sent. */
    readonly awaited: number;
    /** Entries whose record may have stood at an offset that could not be seen. */
    readonly unobserved: string;
  };
  /** Open ones, by kind. */
  readonly openIncidents: Readonly<Partial<Record<IncidentKind, number>>>;
}

type Row = Omit<PartitionFindings, 'readAt'> & { readonly topic: string; readonly readAt: Date };

/** How feeds and ledger compare (G3). */
export class ReadReconciliation {
  constructor(private readonly dataSource: DataSource) {}

  async now(): Promise<Reconciliation> {
    const { manager } = this.dataSource;
    const rows: Row[] = await manager.query(
      `SELECT topic, partition, next_offset AS next, read_at AS "readAt", records, duplicates, groundless, fallen, unobserved
       FROM feed_positions ORDER BY topic, partition`,
    );
    const byRecipient = new Map<string, PartitionFindings[]>();
    for (const { topic, readAt, ...rest } of rows) {
      const recipient = feeds.slugOf(topic) ?? topic;
      const partitions = byRecipient.get(recipient) ?? [];
      byRecipient.set(recipient, [...partitions, { ...rest, readAt: readAt.toISOString() }]);
    }
    const [ledger]: { next_index: string; unobserved: string; awaited: string }[] = await manager.query(
      'SELECT next_index, unobserved, (SELECT count(*) FROM awaited_records) AS awaited FROM compared_entries',
    );
    return {
      feeds: [...byRecipient].map(([recipient, partitions]) => ({ recipient, partitions })),
      ledger: {
        comparedTo: ledger?.next_index ?? '0',
        awaited: Number(ledger?.awaited ?? 0),
        unobserved: ledger?.unobserved ?? '0',
      },
      openIncidents: await openIncidentsOf(manager, ['disclosure-without-a-ground', 'record-missing', 'version-fell']),
    };
  }
}
