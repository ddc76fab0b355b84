import type * as SecondClient from '@platformatic/kafka';

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
