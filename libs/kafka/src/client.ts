import net from 'node:net';
import tls from 'node:tls';
import type { ISocketFactory, Kafka as KafkaJs, KafkaConfig, logLevel, RetryOptions } from 'kafkajs';
import kafkajs from './kafkajs.js';
import type { KafkaSettings } from './types.js';

/** A kafkajs client of its own for one producer or consumer, so that throwing that away closes exactly its sockets. */
export interface Client {
  readonly kafka: KafkaJs;
  /** Cuts every connection at once, and makes no new one; bytes that were not handed to the network yet are gone. */
  destroySockets(): void;
}

const LEVELS = new Map<logLevel, 'warn' | 'error'>([
  [kafkajs.logLevel.WARN, 'warn'],
  [kafkajs.logLevel.ERROR, 'error'],
]);

/**
 * What kafkajs says although all is well. Answers of a coordinator that is still loading or ending a transaction are
 * tried again every few milliseconds by design; where that does not help, the call itself fails and is told.
 */
const NOISE =
  /Limiting retries for the idempotent producer|^Response (?:InitProducerId|GroupCoordinator|AddPartitionsToTxn|EndTxn)\(/;

function configOf(
  settings: KafkaSettings,
  retry: RetryOptions,
  socketFactory: ISocketFactory,
  isDestroyed: () => boolean,
): KafkaConfig {
  return {
    brokers: [...settings.brokers],
    clientId: settings.clientId,
    sasl: { mechanism: 'scram-sha-512', username: settings.username, password: settings.password },
    ssl: settings.ssl ?? false,
    connectionTimeout: 5_000,
    authenticationTimeout: 5_000,
    requestTimeout: 15_000,
    // Tokens and ACLs are re-checked by the broker's own re-authentication limit; be in good time before it.
    reauthenticationThreshold: 30_000,
    retry,
    socketFactory,
    logLevel: kafkajs.logLevel.WARN,
    logCreator: () => (entry) => {
      const level = LEVELS.get(entry.level);
      if (level === undefined || isDestroyed() || NOISE.test(entry.log.message)) return;
      const cause: unknown = entry.log['error'];
      settings.onLog?.({
        level,
        message: entry.log.message,
        // Only the text of an error: other fields may carry parts of messages.
        ...(cause !== undefined && {
          cause: cause instanceof Error ? cause.message : typeof cause === 'string' ? cause : 'unknown',
        }),
      });
    },
  };
}

export function createClient(settings: KafkaSettings, retry: RetryOptions): Client {
  const sockets = new Set<net.Socket>();
  let destroyed = false;
  const socketFactory: ISocketFactory = ({ host, port, ssl, onConnect }) => {
    // What was given up is still tried again deep in kafkajs: it would connect anew to send what it had, or join its
    // group once more and hold partitions that nobody reads.
    if (destroyed) throw new Error('this client is closed');
    const socket = ssl
      ? tls.connect({ host, port, ...(net.isIP(host) === 0 && { servername: host }), ...ssl }, onConnect)
      : net.connect({ host, port }, onConnect);
    socket.setKeepAlive(true, 60_000).setNoDelay(true);
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    return socket;
  };
  return {
    kafka: new kafkajs.Kafka(configOf(settings, retry, socketFactory, () => destroyed)),
    destroySockets() {
      destroyed = true;
      // With an error: of a mere close kafkajs hears nothing, and looks after the connection every second for good.
      for (const socket of sockets) socket.destroy(new Error('this client is closed'));
    },
  };
}
