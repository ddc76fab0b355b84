import { instancesChannel, type Base, type BaseOptions, type ConnectionPool } from '@platformatic/kafka';
import { listenToConnections } from '../../second-client.js';
import type { KafkaSettings } from '../../types.js';

/** Long enough that what may pass does; what hangs is the watchdogs' matter. */
const RETRIES = 200;

export function optionsOf(settings: KafkaSettings): BaseOptions & { readonly clientId: string } {
  listenToConnections(instancesChannel);
  return {
    clientId: settings.clientId,
    bootstrapBrokers: [...settings.brokers],
    connectTimeout: 5_000,
    requestTimeout: 15_000,
    retries: RETRIES,
    retryDelay: 100,
    sasl: { mechanism: 'SCRAM-SHA-512', username: settings.username, password: settings.password },
    ...(settings.ssl === true && { tls: {} }),
  };
}

/** Cuts every connection at once. */
export function destroy(pool: ConnectionPool): void {
  for (const [, connection] of pool) connection.socket?.destroy();
}

/** Ends a client without waiting for what it has under way. */
export function discard(client: Base): void {
  destroy(client.connections);
  client.close(() => undefined);
}
