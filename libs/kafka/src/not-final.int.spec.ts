import { createRequire } from 'node:module';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { createClient } from './client.js';
import { clusterOf } from './group-places.js';
import kafkajs from './kafkajs.js';
import { Valve } from './testing/valve.js';
import type { Cluster } from 'kafkajs';

const require = createRequire(import.meta.url);
const Lock = require('kafkajs/src/utils/lock.js') as new (options: { timeout: number }) => { acquire(): Promise<void> };
const { SCRAM, DIGESTS } = require('kafkajs/src/broker/saslAuthenticator/scram.js') as {
  SCRAM: new (...parts: unknown[]) => { authenticate(): Promise<void> };
  DIGESTS: Readonly<Record<'SHA512', object>>;
};

const { bootstrap, principals } = inject('stack').kafka;
const { username = '', password = '' } = principals['admin'] ?? {};

let valve: Valve;
let close: () => void = () => undefined;
beforeEach(async () => {
  valve = await Valve.open(bootstrap);
  valve.through = true;
});
afterEach(async () => {
  close();
  await valve.close();
});

function clusterFor(secret: string, who = username): Cluster {
  const settings = { brokers: [bootstrap], clientId: 'spec', username: who, password: secret };
  const client = createClient(settings, { retries: 0 });
  close = () => client.destroySockets();
  return clusterOf(client.kafka, 'spec');
}

describe('an error of a broker that went away', () => {
  it('may pass where it was to be asked for a coordinator', async () => {
    const cluster = clusterFor(password);
    await cluster.connect();
    await cluster.refreshMetadata();
    valve.state = 'cut';
    const finding = cluster.findGroupCoordinatorMetadata({ groupId: 'spec' });
    await expect(finding).rejects.toHaveProperty('name', 'KafkaJSNumberOfRetriesExceeded');
  });

  it('may pass in the middle of a handshake', async () => {
    // Its versions and its mechanisms are told; who asks is not.
    valve.cutAfter = 2;
    const connecting = clusterFor(password).connect();
    await expect(connecting).rejects.toThrow('authentication failed: Closed connection');
    await expect(connecting).rejects.toHaveProperty('name', 'KafkaJSNumberOfRetriesExceeded');
  });

  it('may pass where the connection was gone before the handshake went on', async () => {
    const send = () => Promise.reject(new kafkajs.KafkaJSConnectionError('Not connected'));
    const quiet = { debug: () => undefined, error: () => undefined };
    const scram = new SCRAM({ username, password }, '127.0.0.1', 0, quiet, send, DIGESTS.SHA512);
    await expect(scram.authenticate()).rejects.toMatchObject({ retriable: true });
  });

  it('may pass where another has been connecting for too long', async () => {
    const connecting = new Lock({ timeout: 1 });
    await connecting.acquire();
    await expect(connecting.acquire()).rejects.toMatchObject({ name: 'KafkaJSLockTimeout', retriable: true });
  });

  it('is final where it said whose coordinator it does not tell', async () => {
    const { username: other = '', password: secret = '' } = principals['notifications'] ?? {};
    const cluster = clusterFor(secret, other);
    await cluster.connect();
    await cluster.refreshMetadata();
    await expect(cluster.findGroupCoordinatorMetadata({ groupId: 'of-somebody-else' })).rejects.toMatchObject({
      type: 'GROUP_AUTHORIZATION_FAILED',
      retriable: false,
    });
  });

  it('is final where the broker said that it lets nobody in', async () => {
    const connecting = clusterFor('wrong').connect();
    await expect(connecting).rejects.toThrow('invalid credentials');
    await expect(connecting).rejects.toHaveProperty('name', 'KafkaJSSASLAuthenticationError');
  });
});
