import {
  decodeMessage,
  encodeEvent,
  laneBatchSent,
  newEventId,
  sharingLanes,
  type WireMessage,
} from '@castiron/contracts';
import { readAll, type Kafka } from '@castiron/kafka';

/** The lane's own partition takes a moment; where it takes longer, a transaction stays open there, and it is read again. */
const READ_WITHIN_MS = 5_000;

/** Whether the lane's last batch is there cannot be told yet. */
export class JournalUnread extends Error {
  override readonly name = 'JournalUnread';
}

/** The record that shares its transaction with a batch: once it can be read (read_committed), all of the batch is there. */
export function journalMessage(lane: number, token: bigint, batch: string): WireMessage {
  const meta = { id: newEventId(), time: new Date() };
  return { ...encodeEvent(laneBatchSent, { lane, token: token.toString(), batch }, meta), partition: lane };
}

/**
 * The batches that the lane's journal has: all of a batch is on the feeds if and only if it is among them. Compaction keeps
 * the last record of a lane, which is the only one that can be in doubt. Call it after InitProducerId.
 * @throws JournalUnread where it cannot be read to its end in time
 */
export async function batchesSent(kafka: Kafka, lane: number, within = READ_WITHIN_MS): Promise<ReadonlySet<string>> {
  const sent = new Set<string>();
  const groupId = `partner-sharing.lane-${lane}-${newEventId()}`;
  const late = AbortSignal.timeout(within);
  for await (const message of readAll(kafka, sharingLanes.name, { groupId, partition: lane, signal: late })) {
    if (message.key?.toString() !== String(lane)) continue;
    const decoded = decodeMessage(message, [laneBatchSent]);
    if (decoded.ok && decoded.event.data !== null) sent.add((decoded.event.data as { batch: string }).batch);
  }
  // What is behind the deadline may be the very batch that is asked about: nobody may take it for aborted.
  if (late.aborted) throw new JournalUnread(`the journal of lane ${lane} could not be read within ${within} ms`);
  return sent;
}
