import { createRequire } from 'node:module';

/**
 * kafkajs 2.2.4 takes three errors for final that come of a broker that went away at the wrong moment, and a consumer that met
 * one would end: that there is no coordinator, said wherever nobody answered; that nobody is let in, said too where the
 * connection was lost in the middle of the handshake; and that somebody else has been connecting for too long. They may pass like
 * any lost connection.
 */
const require = createRequire(import.meta.url);

interface Broker {
  findGroupCoordinator(group: object): Promise<unknown>;
}
interface Cluster {
  readonly brokerPool: { withBroker(ask: (one: { broker: Broker }) => Promise<unknown>): Promise<unknown> };
}
const ClusterClass = require('kafkajs/src/cluster/index.js') as {
  prototype: { findGroupCoordinatorMetadata: (this: Cluster, group: object) => Promise<unknown> };
};
interface Scram {
  saslAuthenticate: (this: void, message: object) => Promise<unknown>;
  authenticate: (this: Scram) => Promise<unknown>;
}
const { SCRAM } = require('kafkajs/src/broker/saslAuthenticator/scram.js') as { SCRAM: { prototype: Scram } };

const LockClass = require('kafkajs/src/utils/lock.js') as {
  prototype: { acquire: (this: unknown) => Promise<void> };
};

const isNamed = (error: unknown, name: string): boolean => error instanceof Error && error.name === name;

const { findGroupCoordinatorMetadata } = ClusterClass.prototype;
ClusterClass.prototype.findGroupCoordinatorMetadata = async function (group) {
  try {
    return await findGroupCoordinatorMetadata.call(this, group);
  } catch (error) {
    if (!isNamed(error, 'KafkaJSGroupCoordinatorNotFound')) throw error;
    // What a broker said is swallowed there: asked once more, for its no is final.
    let said: unknown;
    const found = await this.brokerPool.withBroker(({ broker }) =>
      broker.findGroupCoordinator(group).catch((reason: unknown) => void (said = reason)),
    );
    if (isNamed(said, 'KafkaJSProtocolError')) throw said;
    if (found) return found;
    throw Object.assign(error as Error, { retriable: true });
  }
};

const { authenticate } = SCRAM.prototype;
SCRAM.prototype.authenticate = async function () {
  const { saslAuthenticate } = this;
  let mayPass = false;
  // Of what happened kafkajs keeps the words alone.
  this.saslAuthenticate = async (message) => {
    try {
      return await saslAuthenticate(message);
    } catch (error) {
      mayPass = error instanceof Error && 'retriable' in error && error.retriable === true;
      throw error;
    }
  };
  try {
    return await authenticate.call(this);
  } catch (error) {
    if (mayPass) Object.assign(error as Error, { retriable: true });
    throw error;
  }
};

const { acquire } = LockClass.prototype;
LockClass.prototype.acquire = async function () {
  try {
    await acquire.call(this);
  } catch (error) {
    throw Object.assign(error as Error, { retriable: true });
  }
};
