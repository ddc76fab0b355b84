import type { PendingEvent } from '@castiron/transactions';
import { MAX_MESSAGE_BYTES } from '@castiron/contracts';
import type { EntityManager } from 'typeorm';
import { laneOf } from './lanes.js';

/** Room for headers and framing within the broker's limit. */
const MAX_PAYLOAD_BYTES = MAX_MESSAGE_BYTES - 16_384;

/**
 * Writes events as the last statement of a transaction; their ids follow the order given.
 * @throws RangeError for an event that no topic would take: better here than in front of all that follow it
 */
export async function appendToOutbox(manager: EntityManager, events: readonly PendingEvent[]): Promise<void> {
  if (events.length === 0) return;
  const rows = events.map(({ eventId, type, message }) => {
    if (message.value !== null && Buffer.byteLength(message.value) > MAX_PAYLOAD_BYTES) {
      throw new RangeError(`an event of type ${type} is larger than ${MAX_PAYLOAD_BYTES} bytes`);
    }
    return {
      lane: laneOf(message.topic, message.key),
      event_id: eventId,
      aggregatetype: message.topic,
      aggregateid: message.key,
      type,
      payload: message.value,
      headers: message.headers,
    };
  });
  // One statement: its rows get their ids in the order of the array. xid8 is the id of the whole transaction, savepoints
  // or not, which is what snapshots know.
  await manager.query(
    `INSERT INTO outbox (xid, lane, event_id, aggregatetype, aggregateid, type, payload, headers)
     SELECT pg_current_xact_id(), r.lane, r.event_id, r.aggregatetype, r.aggregateid, r.type, r.payload, r.headers
     FROM ROWS FROM (jsonb_to_recordset($1::jsonb) AS (
       lane smallint, event_id uuid, aggregatetype text, aggregateid text, type text, payload text, headers jsonb))
     WITH ORDINALITY AS r(lane, event_id, aggregatetype, aggregateid, type, payload, headers, n)
     ORDER BY r.n`,
    [JSON.stringify(rows)],
  );
}
