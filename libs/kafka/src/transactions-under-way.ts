import { onBroker, secondClient } from './second-client.js';
import type { KafkaSettings } from './types.js';

const UNDER_WAY = 'Ongoing';

/**
 * The transactions that were begun and are decided about neither way, by their transactional id: since when, in ms since the
 * epoch. Each broker knows those that it coordinates, and the first of the list is asked: with several, some are missing.
 */
export async function transactionsUnderWay(settings: KafkaSettings): Promise<Map<string, number>> {
  const { describeTransactionsV0, listTransactionsV1 } = await secondClient();
  const [broker = ''] = settings.brokers;
  return onBroker(settings, broker, async (connection) => {
    const listed = await listTransactionsV1.api.async(connection, ['ONGOING'], [], -1n, null);
    const ids = listed.transactionStates.map(({ transactionalId }) => transactionalId);
    if (ids.length === 0) return new Map();
    const { transactionStates } = await describeTransactionsV0.api.async(connection, ids);
    return new Map(
      transactionStates
        // Some may have ended since.
        .filter(({ transactionState }) => transactionState === UNDER_WAY)
        .map(({ transactionalId, transactionStartTimeMs }) => [transactionalId, Number(transactionStartTimeMs)]),
    );
  });
}
