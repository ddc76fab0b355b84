import { expect, inject, it } from 'vitest';
import { createClient } from './client.js';
import { clusterOf } from './group-places.js';
import { Valve } from './testing/valve.js';

it('a coordinator that nobody could be asked for may still be found later', async () => {
  const { bootstrap, principals } = inject('stack').kafka;
  const { username = '', password = '' } = principals['admin'] ?? {};
  const valve = await Valve.open(bootstrap);
  valve.through = true;
  const client = createClient({ brokers: [bootstrap], clientId: 'spec', username, password }, { retries: 0 });
  const cluster = clusterOf(client.kafka, 'spec');
  await cluster.connect();
  await cluster.refreshMetadata();
  valve.state = 'cut';
  await expect(cluster.findGroupCoordinatorMetadata({ groupId: 'spec' })).rejects.toMatchObject({
    name: 'KafkaJSGroupCoordinatorNotFound',
    retriable: true,
  });
  client.destroySockets();
  await valve.close();
});
