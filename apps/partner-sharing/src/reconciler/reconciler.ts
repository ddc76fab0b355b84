import type { Kafka } from '@castiron/kafka';
import type { Logger } from '@castiron/observability';
import { every, type Part } from '@castiron/service';
import type { DataSource } from 'typeorm';
import { compareEntries } from './compare-entries.js';
import type { FeedReader } from './feed-reader.js';
import { findMissingRecords } from './find-missing-records.js';
import { forgetNotes } from './forget-notes.js';
import type { ReconcilerMetrics } from './reconciler-metrics.js';

/** Other processes register recipients too. */
const LOOK_MS = 5_000;
const COMPARE_MS = 2_000;
const FORGET_MS = 60_000;

export interface ReconcilerParts {
  readonly dataSource: DataSource;
  readonly kafka: Kafka;
  readonly reader: FeedReader;
  readonly metrics: ReconcilerMetrics;
  readonly logger: Logger;
}

/** Compares the ledger with what was noted of the feeds, and what is missing with the feeds' ends. */
export async function reconcile(
  { dataSource, kafka, metrics, logger }: Omit<ReconcilerParts, 'reader'>,
  stopping: AbortSignal,
): Promise<void> {
  while (!stopping.aborted && (await compareEntries(dataSource)));
  const found = await findMissingRecords(dataSource, kafka, logger, stopping);
  metrics.missing(found);
  if (found.missing > 0) logger.error({ ...found }, 'records are missing on feeds');
}

/** Feeds and ledger, compared both ways as long as the process runs (G3). */
export function reconciler(parts: ReconcilerParts): readonly Part[] {
  const { dataSource, reader, logger } = parts;
  const complain = (what: string) => (error: unknown) => logger.error({ err: error }, what);
  const stopping = new AbortController();
  const comparing = every(
    COMPARE_MS,
    'reconciler',
    () => reconcile(parts, stopping.signal),
    complain('the ledger was not compared with the feeds'),
  );
  return [
    reader,
    // Not waited for: where the broker is silent, a stop would be.
    every(LOOK_MS, 'new feeds', () => Promise.resolve(void reader.look()), complain('new feeds are not read')),
    {
      ...comparing,
      stop: () => {
        stopping.abort();
        return comparing.stop();
      },
    },
    every(
      FORGET_MS,
      'notes',
      async () => {
        while (await forgetNotes(dataSource));
      },
      complain('old notes were not dropped'),
    ),
  ];
}
