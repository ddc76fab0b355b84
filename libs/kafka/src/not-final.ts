import { createRequire } from 'node:module';

type Method = (this: unknown, ...given: unknown[]) => Promise<unknown>;
type Prototype<Name extends string> = Readonly<{ prototype: Record<Name, Method> }>;

const require = createRequire(import.meta.url);
const Cluster = require('kafkajs/src/cluster/index.js') as Prototype<'findGroupCoordinatorMetadata'>;
const { SCRAM } = require('kafkajs/src/broker/saslAuthenticator/scram.js') as { SCRAM: Prototype<'authenticate'> };

/**
 * kafkajs 2.2.4 takes two errors for final that come of a broker that went away at the wrong moment, and a consumer that met
 * one would end: that there is no coordinator, said wherever nobody could be asked; and that nobody is let in, said too
 * where the connection was lost in the middle of the handshake. They may pass like any lost connection.
 */
const MAY_PASS =
  /^Failed to find group coordinator$| authentication failed: (?:Closed connection|Connection (?:error|timeout)|Request .* timed out)/;

function notFinal<Name extends string>({ prototype }: Prototype<Name>, method: Name): void {
  const original = prototype[method];
  prototype[method] = async function (...given) {
    try {
      return await original.apply(this, given);
    } catch (error) {
      if (error instanceof Error && MAY_PASS.test(error.message)) Object.assign(error, { retriable: true });
      throw error;
    }
  };
}

notFinal(Cluster, 'findGroupCoordinatorMetadata');
notFinal(SCRAM, 'authenticate');
