import {
  decodeMessage,
  encodeEvent,
  laneBatchSent,
  newEventId,
  sharingLanes,
  type WireMessage,
} from '@castiron/contracts';
import { readAll, type Kafka } from '@castiron/kafka';

/** The record that shares its transaction with a batch: once it can be read (read_committed), all of the batch is there. */
export function journalMessage(lane: number, token: bigint, batch: string): WireMessage {
  return encodeEvent(laneBatchSent, { lane, token: token.toString(), batch }, { id: newEventId(), time: new Date() });
}

/** The last batch that the lane's journal has; undefined where there is none. Call it after InitProducerId. */
export async function lastBatchOf(kafka: Kafka, lane: number): Promise<string | undefined> {
  let last: string | undefined;
  const groupId = `partner-sharing.lane-${lane}-${newEventId()}`;
  for await (const message of readAll(kafka, sharingLanes.name, { groupId })) {
    if (message.key?.toString() !== String(lane)) continue;
    const decoded = decodeMessage(message, [laneBatchSent]);
    if (decoded.ok && decoded.event.data !== null) last = (decoded.event.data as { batch: string }).batch;
  }
  return last;
}
