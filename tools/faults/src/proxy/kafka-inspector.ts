import type { Inspector, Point, ReplicaMemory } from './points.js';

const PRODUCE = 0;
const OFFSET_COMMIT = 8;
const LENGTH_BYTES = 4;
const CORRELATION_AT = 8;
const CLIENT_ID_AT = 12;

const framed = (bytes: Buffer): number | undefined =>
  bytes.length < LENGTH_BYTES ? undefined : LENGTH_BYTES + bytes.readUInt32BE(0);

/** A nullable string with its own length before it. */
const stringAt = (frame: Buffer, at: number): string =>
  frame.toString('latin1', at + 2, at + 2 + Math.max(0, frame.readInt16BE(at)));

/** Behind the client's name; then acks and a timeout, and how many topics there are. */
const ACKS_TO_TOPICS = 2 + 4 + 4;

/** Relays of outboxes write to other topics. Versions 3 to 8 of Produce name a transaction, if there is one, and then topics. */
function isToFeeds(frame: Buffer): boolean {
  const transactionAt = CLIENT_ID_AT + 2 + stringAt(frame, CLIENT_ID_AT).length;
  const topicsAt = transactionAt + 2 + stringAt(frame, transactionAt).length + ACKS_TO_TOPICS;
  return frame.length > topicsAt + 2 && stringAt(frame, topicsAt).startsWith('feeds.');
}

/** Reads the headers of Kafka's protocol (Kafka's protocol guide, "Request Header" and "Response Header"). */
export function kafkaInspector(memory: ReplicaMemory): Inspector {
  /** Requests under way whose answers matter, by correlation id. */
  const asked = new Map<number, Point>();
  return {
    requestLength: framed,
    answerLength: framed,
    request(frame): Point | undefined {
      if (frame.length < CLIENT_ID_AT + 2) return undefined;
      const correlation = frame.readInt32BE(CORRELATION_AT);
      switch (frame.readInt16BE(LENGTH_BYTES)) {
        case PRODUCE:
          if (isToFeeds(frame)) {
            asked.set(correlation, 'before-feed-acknowledgement');
            return 'before-feed-send';
          }
          asked.set(correlation, 'before-acknowledgement');
          return 'before-send';
        case OFFSET_COMMIT:
          return 'before-offset-commit';
        default:
          return undefined;
      }
    },
    answer(frame): Point | undefined {
      if (frame.length < CORRELATION_AT) return undefined;
      const correlation = frame.readInt32BE(LENGTH_BYTES);
      const point = asked.get(correlation);
      asked.delete(correlation);
      if (point === 'before-acknowledgement') memory.acknowledged = true;
      return point;
    },
  };
}
