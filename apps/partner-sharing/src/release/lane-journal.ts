import {
  decodeMessage,
  encodeEvent,
  laneBatchSent,
  newEventId,
  sharingLanes,
  type WireMessage,
} from '@castiron/contracts';
import { readAll, type Kafka } from '@castiron/kafka';
import pLimit from 'p-limit';

/**
 * The lane's own partition takes a moment, and 3 s more with a broker that holds new groups up as Kafka's defaults do; where
 * it takes longer, a transaction stays open there, and it is read again.
 */
const READ_WITHIN_MS = 10_000;
/**
 * Where a batch in doubt was committed, nothing was since but what a later owner had aborted, so few offsets would do; a
 * journal is as long as what its lane wrote in some minutes.
 */
const LAST = 1_000;
/** Each reading takes connections of its own. Where all lanes change hands at once, none would get to its end in time. */
const AT_ONCE = 4;

/** Whether the lane's last batch is there cannot be told yet. */
export class JournalUnread extends Error {
  override readonly name = 'JournalUnread';
}

/** The record that shares its transaction with a batch: once it can be read (read_committed), all of the batch is there. */
export function journalMessage(lane: number, token: bigint, batch: string): WireMessage {
  const meta = { id: newEventId(), time: new Date() };
  return { ...encodeEvent(laneBatchSent, { lane, token: token.toString(), batch }, meta), partition: lane };
}

/** What tells of each lane which of its batches are on the feeds. */
export class LaneJournal {
  private readonly inTurn = pLimit(AT_ONCE);

  constructor(
    private readonly kafka: Kafka,
    /** In ms, of one reading. */
    private readonly within: number = READ_WITHIN_MS,
  ) {}

  /**
   * The last batches of a lane: the one in doubt is on the feeds, all of it, if and only if it is among them. No batch
   * follows one in doubt, and compaction keeps the last record of a lane. Call it after InitProducerId.
   * @param given ends it at once
   * @throws JournalUnread where it cannot be read to its end in time
   */
  batchesSent(lane: number, given: AbortSignal): Promise<ReadonlySet<string>> {
    return this.inTurn(async () => {
      const enough = AbortSignal.any([given, AbortSignal.timeout(this.within)]);
      const lately = await this.read(lane, enough, LAST);
      const sent = lately.size > 0 ? lately : await this.read(lane, enough);
      // What is behind the deadline may be the very batch that is asked about: nobody may take it for aborted.
      if (enough.aborted)
        throw new JournalUnread(`the journal of lane ${lane} could not be read within ${this.within} ms`);
      return sent;
    });
  }

  private async read(lane: number, signal: AbortSignal, last?: number): Promise<Set<string>> {
    const sent = new Set<string>();
    if (signal.aborted) return sent;
    const groupId = `partner-sharing.lane-${lane}-${newEventId()}`;
    const bounds = { partition: lane, ...(last !== undefined && { last }) };
    for await (const message of readAll(this.kafka, sharingLanes.name, { groupId, signal, ...bounds })) {
      if (message.key?.toString() !== String(lane)) continue;
      const decoded = decodeMessage(message, [laneBatchSent]);
      if (decoded.ok && decoded.event.data !== null) sent.add((decoded.event.data as { batch: string }).batch);
    }
    return sent;
  }
}
