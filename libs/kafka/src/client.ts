import { createRequire } from 'node:module';
import net from 'node:net';
import tls from 'node:tls';
import kafkajs, {
  type ISocketFactory,
  type Kafka as KafkaJs,
  type KafkaConfig,
  type logLevel,
  type RetryOptions,
} from 'kafkajs';
import './not-final.js';
import type { KafkaSettings } from './types.js';

interface Request {
  readonly sentAt: number;
  readonly requestTimeout: number;
  timeoutRequest(): void;
}
interface RequestQueue {
  readonly pending: readonly unknown[];
  readonly inflight: ReadonlyMap<number, Request>;
  requestTimeoutIntervalId: NodeJS.Timeout | null;
  isConnected(): boolean;
  destroy(): void;
}
const RequestQueueClass = createRequire(import.meta.url)('kafkajs/src/network/requestQueue/index.js') as {
  prototype: {
    scheduleCheckPendingRequests: (this: RequestQueue) => void;
    scheduleRequestTimeoutCheck: (this: RequestQueue) => void;
  };
};
/** From one look for requests that got no answer in time to the next, for each connection. Their time is many seconds. */
const LOOK_FOR_LATE_MS = 1_000;
/** kafkajs looks every 100 ms: with a connection for each lane that is most of what an idle service does. */
RequestQueueClass.prototype.scheduleRequestTimeoutCheck = function (this: RequestQueue) {
  this.destroy();
  this.requestTimeoutIntervalId = setInterval(() => {
    const now = Date.now();
    for (const request of this.inflight.values())
      if (now - request.sentAt > request.requestTimeout) request.timeoutRequest();
    if (!this.isConnected()) this.destroy();
  }, LOOK_FOR_LATE_MS);
};
const schedule = RequestQueueClass.prototype.scheduleCheckPendingRequests;
/**
 * kafkajs 2.2.4 arms a timer after every answer, with a negative delay when nothing is throttled: Node 24 warns, and an
 * idle process wakes for nothing (its issues 1704, 1751). With nothing waiting there is nothing to check.
 */
RequestQueueClass.prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
  if (this.pending.length > 0) schedule.call(this);
};

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
      const detail: unknown = entry.log['error'];
      settings.onLog?.({
        level,
        message: entry.log.message,
        // Only the text of an error: other fields may carry parts of messages.
        ...(detail !== undefined && {
          detail: detail instanceof Error ? detail.message : typeof detail === 'string' ? detail : 'unknown',
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
      for (const socket of sockets) socket.destroy();
    },
  };
}
