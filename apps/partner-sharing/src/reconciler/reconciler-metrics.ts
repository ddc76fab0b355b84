import type { Metrics } from '@castiron/observability';
import type { Passed } from './feed-notes.table.js';
import type { Missing } from './find-missing-records.js';
import type { FeedPartition } from './place.js';

/** What the reconciler tells those who run the service; the database keeps the same for staff. */
export class ReconcilerMetrics {
  constructor(private readonly metrics: Metrics) {}

  passed({ topic, partition }: FeedPartition, { records, duplicates, groundless, fallen, unobserved }: Passed): void {
    const seen = this.metrics.counter(
      'castiron_feed_records_total',
      'Records of feeds as they were compared with the ledger; a copy that fell behind counts as both',
      ['outcome'],
    );
    for (const [outcome, count] of Object.entries({ noted: records, duplicate: duplicates, groundless, fallen }))
      seen.inc({ outcome }, count);
    if (unobserved === 0n) return;
    this.metrics
      .counter('castiron_feed_offsets_unobserved_total', 'Offsets of feeds that were gone before they could be read', [
        'topic',
        'partition',
      ])
      .inc({ topic, partition: String(partition) }, Number(unobserved));
  }

  missing({ missing, unobserved }: Missing): void {
    const entries = this.metrics.counter(
      'castiron_ledger_entries_without_record_total',
      'Entries whose record is missing on its feed, or may have stood at an offset that could not be seen',
      ['outcome'],
    );
    entries.inc({ outcome: 'missing' }, missing);
    entries.inc({ outcome: 'unobserved' }, unobserved);
  }
}
