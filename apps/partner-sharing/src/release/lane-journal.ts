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

/**
 * The batches that the lane's journal has: all of a batch is on the feeds if and only if it is among them. Compaction keeps
 * the last record of a lane, which is the only one that can be in doubt. Call it after InitProducerId.
 */
export async function batchesSent(kafka: Kafka, lane: number): Promise<ReadonlySet<string>> {
  const sent = new Set<string>();
  const groupId = `partner-sharing.lane-${lane}-${newEventId()}`;
  for await (const message of readAll(kafka, sharingLanes.name, { groupId })) {
    if (message.key?.toString() !== String(lane)) continue;
    const decoded = decodeMessage(message, [laneBatchSent]);
    if (decoded.ok && decoded.event.data !== null) sent.add((decoded.event.data as { batch: string }).batch);
  }
  return sent;
}
