import { BEFORE_FENCE, type Inspector, type Point, type ReplicaMemory, type Seen } from './points.js';

const PRODUCE = 0;
const OFFSET_COMMIT = 8;
const INIT_PRODUCER_ID = 22;
const END_TXN = 26;
const LENGTH_BYTES = 4;
const CORRELATION_AT = 8;
const CLIENT_ID_AT = 12;

const framed = (bytes: Buffer): number | undefined =>
  bytes.length < LENGTH_BYTES ? undefined : LENGTH_BYTES + bytes.readUInt32BE(0);

/** A nullable string with its own length before it. */
const stringAt = (frame: Buffer, at: number): string =>
  frame.toString('latin1', at + 2, at + 2 + Math.max(0, frame.readInt16BE(at)));

/**
 * Only the lanes of feeds send in Kafka transactions; relays of outboxes ask for ids by name too. Produce (versions 3 to 8)
 * and InitProducerId (0 and 1) begin with the name.
 */
const isOfLane = (frame: Buffer): boolean =>
  stringAt(frame, CLIENT_ID_AT + 2 + stringAt(frame, CLIENT_ID_AT).length).startsWith('feed-lane-');

/** Reads the headers of Kafka's protocol (Kafka's protocol guide, "Request Header" and "Response Header"). */
export function kafkaInspector(memory: ReplicaMemory): Inspector {
  /** Requests under way whose answers matter, by correlation id. */
  const asked = new Map<number, Point>();
  return {
    requestLength: framed,
    answerLength: framed,
    request(frame): Seen | undefined {
      if (frame.length < CLIENT_ID_AT + 2) return undefined;
      const correlation = frame.readInt32BE(CORRELATION_AT);
      switch (frame.readInt16BE(LENGTH_BYTES)) {
        case PRODUCE:
          if (isOfLane(frame)) return 'before-feed-send';
          asked.set(correlation, 'before-acknowledgement');
          return 'before-send';
        case END_TXN:
          asked.set(correlation, 'after-feed-commit');
          return 'before-feed-commit';
        case INIT_PRODUCER_ID:
          return isOfLane(frame) ? BEFORE_FENCE : undefined;
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
