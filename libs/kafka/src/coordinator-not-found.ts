import { createRequire } from 'node:module';
import type { Cluster } from 'kafkajs';

type FindCoordinator = (this: Cluster, group: { groupId: string }) => Promise<unknown>;

const ClusterClass = createRequire(import.meta.url)('kafkajs/src/cluster/index.js') as {
  prototype: { findGroupCoordinatorMetadata: FindCoordinator };
};
const { findGroupCoordinatorMetadata } = ClusterClass.prototype;

/**
 * kafkajs 2.2.4 says that there is no coordinator wherever nobody could be asked, and takes that for final: a consumer that
 * came back while its broker started would end. It may pass like any lost connection.
 */
ClusterClass.prototype.findGroupCoordinatorMetadata = async function (group) {
  try {
    return await findGroupCoordinatorMetadata.call(this, group);
  } catch (error) {
    if (error instanceof Error && error.name === 'KafkaJSGroupCoordinatorNotFound')
      Object.assign(error, { retriable: true });
    throw error;
  }
};
