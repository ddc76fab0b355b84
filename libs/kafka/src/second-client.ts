import type * as SecondClient from '@platformatic/kafka';
import type { KafkaSettings } from './types.js';

let listening = false;

/**
 * A connection of the second client tells of a broker that goes away in the middle of a handshake by an `error` event as
 * well as by failing the call. Nobody can listen to a connection that a pool of its own opens, and an `error` that
 * nobody listens to ends the process: so each is listened to from its making. The call fails all the same.
 */
export function listenToConnections(instances: typeof SecondClient.instancesChannel): void {
  if (listening) return;
  listening = true;
  instances.subscribe((message) => {
    const { type, instance } = message as { type: string; instance: unknown };
    if (type === 'connection') (instance as SecondClient.Connection).on('error', () => undefined);
  });
}

/** Loaded for who asks: it takes ten megabytes, in each thread, and most processes never do. */
export async function secondClient(): Promise<typeof SecondClient> {
  const client = await import('@platformatic/kafka');
  listenToConnections(client.instancesChannel);
  return client;
}

/**
 * Works on a connection to one broker, which is closed afterwards.
 * @param broker `host:port`
 */
export async function onBroker<T>(
  settings: KafkaSettings,
  broker: string,
  work: (connection: SecondClient.Connection) => Promise<T>,
): Promise<T> {
  const { Connection } = await secondClient();
  const colon = broker.lastIndexOf(':');
  const connection = new Connection(settings.clientId, {
    connectTimeout: 5_000,
    requestTimeout: 10_000,
    sasl: { mechanism: 'SCRAM-SHA-512', username: settings.username, password: settings.password },
    ...(settings.ssl === true && { tls: {} }),
  });
  try {
    await connection.connect(broker.slice(0, colon), Number(broker.slice(colon + 1)));
    return await work(connection);
  } finally {
    await connection.close().catch(() => undefined);
  }
}
