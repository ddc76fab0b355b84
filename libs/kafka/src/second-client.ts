import { instancesChannel, type Connection } from '@platformatic/kafka';

/**
 * A connection of the second client tells of a broker that goes away in the middle of a handshake by an `error` event as
 * well as by failing the call. Nobody can listen to a connection that a pool of its own opens, and an `error` that
 * nobody listens to ends the process: so each is listened to from its making. The call fails all the same.
 */
export function listenToConnections(): void {
  if (listening) return;
  listening = true;
  instancesChannel.subscribe((message) => {
    const { type, instance } = message as { type: string; instance: unknown };
    if (type === 'connection') (instance as Connection).on('error', () => undefined);
  });
}

let listening = false;
