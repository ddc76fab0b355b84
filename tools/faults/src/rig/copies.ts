import type { WireMessage } from '@castiron/contracts';
import { patiently } from '../observe/patiently.js';
import { COPY, readTopic, type Placed } from '../observe/topics.js';
import { type Random } from '../plan/random.js';
import type { Cluster } from './cluster.js';

/**
 * Puts copies of events that stand on their topics behind them, as many of each topic, byte for byte but for a mark that no
 * service looks at.
 * @returns how many of each topic; none where nothing stands there yet
 */
export async function deliverTwice(
  cluster: Cluster,
  topics: readonly string[],
  since: (record: Placed) => boolean,
  copies: number,
  random: Random,
): Promise<readonly number[]> {
  const reads = await Promise.all(topics.map((topic) => patiently(() => readTopic(cluster.kafka(), topic))));
  const chosen = reads.map(({ records }) =>
    random.shuffled(records.filter(since)).slice(0, Math.ceil(copies / topics.length)),
  );
  const producer = cluster.kafka().producer();
  try {
    await producer.send(
      chosen.flat().map(({ topic, key, value, headers }): WireMessage => ({
        topic,
        key,
        value,
        headers: { ...headers, [COPY]: 'yes' },
      })),
    );
  } finally {
    await producer.close();
  }
  return chosen.map(({ length }) => length);
}
