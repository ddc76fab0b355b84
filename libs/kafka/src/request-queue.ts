import { createRequire } from 'node:module';

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
 * idle process wakes for nothing. With nothing waiting there is nothing to check.
 */
RequestQueueClass.prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
  if (this.pending.length > 0) schedule.call(this);
};
