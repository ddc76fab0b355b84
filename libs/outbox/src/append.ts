import type { PendingEvent, Statement } from '@castiron/transactions';
import { bytesOf, MAX_EVENT_BYTES } from '@castiron/contracts';
import { Refused } from '@castiron/failures';
import { laneOf } from './lanes.js';

function rowOf({ eventId, type, message }: PendingEvent) {
  const { topic, key, value, headers } = message;
  if (bytesOf(message) > MAX_EVENT_BYTES) {
    throw new Refused({
      kind: 'too-large',
      code: 'event-too-large',
      detail: `What is to be told of this (${type}) is larger than ${MAX_EVENT_BYTES} bytes.`,
    });
  }
  const lane = laneOf(topic, key);
  return {
    lane: String(lane),
    event_id: eventId,
    aggregatetype: topic,
    aggregateid: key,
    type,
    payload: value,
    headers,
  };
}

/** As {@link ONE} takes them, in the order of {@link COLUMNS}. */
const valuesOf = (row: ReturnType<typeof rowOf>) => [
  row.lane,
  row.event_id,
  row.aggregatetype,
  row.aggregateid,
  row.type,
  row.payload,
  JSON.stringify(row.headers),
];

const COLUMNS = 'lane, event_id, aggregatetype, aggregateid, type, payload, headers';

// xid8 is the id of the whole transaction, savepoints or not, which is what snapshots know.
const ONE = {
  name: 'outbox-append',
  text: `INSERT INTO outbox (xid, ${COLUMNS}) VALUES (pg_current_xact_id(), $1, $2, $3, $4, $5, $6, $7)`,
};
const MANY = {
  name: 'outbox-append-all',
  text: `
  INSERT INTO outbox (xid, ${COLUMNS}) SELECT pg_current_xact_id(), ${COLUMNS}
  FROM ROWS FROM (json_to_recordset($1::json) AS (
    lane smallint, event_id uuid, aggregatetype text, aggregateid text, type text, payload text, headers json))
  WITH ORDINALITY AS r(${COLUMNS}, n)
  ORDER BY n`,
};

/**
 * What writes events as the last statement of a transaction; their ids follow the order given.
 * @throws Refused for an event that no topic would take: better here than in front of all that follow it
 */
export function appendToOutbox(events: readonly PendingEvent[]): Statement {
  const rows = events.map(rowOf);
  const [only] = rows;
  // Most transactions publish one event: planned once a connection.
  if (only !== undefined && rows.length === 1) return { ...ONE, values: valuesOf(only) };
  // One statement: its rows get their ids in the order of the array.
  return { ...MANY, values: [JSON.stringify(rows)] };
}
