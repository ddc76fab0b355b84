import type { Metrics } from '@castiron/observability';
import { appendToOutbox, OutboxRoom } from '@castiron/outbox';
import { MarkingTransactions } from '@castiron/service';
import type { OutboxPort, Publications, Transactions } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import { silent } from './database.js';

/** The outbox where nobody sends, or somebody else does. */
const nobodyWaits: OutboxPort = { append: appendToOutbox, wake: () => undefined };
/** Backlogs of a figure are larger than a service would let them grow. */
const LIMIT = 1_000_000_000;

export interface ProductPathOptions {
  readonly dataSource: DataSource;
  readonly metrics: Metrics;
  readonly publications: Publications;
  /** Nobody unless told. */
  readonly relay?: OutboxPort;
}

/** What a service writes through, as `runService` puts it together: its room is measured until it is stopped. */
export async function productPath({
  dataSource,
  metrics,
  publications,
  relay = nobodyWaits,
}: ProductPathOptions): Promise<{ transactions: Transactions; room: OutboxRoom; stop: () => Promise<void> }> {
  const room = new OutboxRoom({ dataSource, limit: LIMIT, logger: silent, metrics });
  await room.start();
  return {
    transactions: new MarkingTransactions(dataSource, room.before(relay), publications),
    room,
    stop: () => room.stop(),
  };
}
