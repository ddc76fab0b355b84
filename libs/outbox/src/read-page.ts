import { FETCH_BYTES } from '@castiron/contracts';
import type { EncodedMessage, MessageEncoder } from '@castiron/kafka';
import type pg from 'pg';
import type { Connections } from './connections.js';
import type { LaneCursor, Place } from './lane-cursors.js';
import { LANES } from './lanes.js';

/** The most rows that are read at once. Of their payloads, {@link FETCH_BYTES} (the row that passes the limit included). */
export const PAGE_ROWS = 1_000;
/** The most ids that are gone through at once for them: those of other lanes, and younger ones, are read in vain. */
const WINDOW_IDS = 20_000n;

interface OutboxRow {
  readonly id: string;
  readonly lane: number;
  readonly message: EncodedMessage;
}

export interface Page {
  readonly rows: readonly OutboxRow[];
  /** Where a lane stood before these rows that had settled so much, and where it stands once it has sent its own. */
  before(settled: string): Place;
  after(settled: string): Place;
}

/** A lane by what it is to read from. */
export type Reader = Pick<LaneCursor, 'lane' | 'incarnation'> & { readonly read: Place };

/** Whether all that was to be read is read, so that it is time to look for what is new. */
export const isExhausted = ({ settled, reading }: Place): boolean => settled === reading;

/** Where nothing is new, there is one row of the last two alone. They are those of all, and come with the first. */
type Found = readonly [
  id: string | null,
  lane: number,
  topic: string,
  key: string,
  payload: string | null,
  headers: Record<string, string>,
  bytes: number,
  snapshot?: string | null,
  newest?: string | null,
];

const COLUMNS = 'id, lane, aggregatetype, aggregateid, payload, headers, bytes';

/** Cut where the bytes are enough; lengths alone are looked at for that, not the payloads. */
const page = (rows: string): string => `
  (SELECT *, sum(bytes) OVER (ORDER BY id) - bytes AS before
   FROM (SELECT *, coalesce(octet_length(payload), 0) AS bytes FROM (${rows}) AS all_rows) AS measured) AS counted`;

/**
 * What is visible now and was not in a lane's `settled`: transactions younger than it, and those that were under way.
 * One statement, so that its own snapshot is the one returned and covers exactly what it saw; it is returned without rows,
 * too, or who finds nothing would go through what is others' each time anew. The newest id is read after that
 * snapshot was taken. `id + 0` keeps the planner from walking all settled rows by id.
 */
const NEWS = `
  SELECT ${COLUMNS}, CASE WHEN before > 0 THEN NULL ELSE snapshot END, CASE WHEN before > 0 THEN NULL ELSE newest END
  FROM (SELECT pg_current_snapshot()::text AS snapshot, last_value AS newest FROM outbox_id) AS now
  LEFT JOIN ${page(`
    SELECT * FROM outbox
    WHERE (xid >= $1::xid8 OR xid = ANY ($2::xid8[]))
      AND NOT pg_visible_in_snapshot(xid, ($3::pg_snapshot[])[lane + 1])
    ORDER BY id + 0 LIMIT ${PAGE_ROWS}`)} ON before < ${FETCH_BYTES}
  ORDER BY id`;

/** The next rows between the snapshots, by id. */
const NEXT = `
  SELECT ${COLUMNS} FROM ${page(`
    SELECT * FROM outbox
    WHERE id > $1 AND id <= $4 AND pg_visible_in_snapshot(xid, $2::pg_snapshot)
      AND NOT pg_visible_in_snapshot(xid, ($3::pg_snapshot[])[lane + 1])
    ORDER BY id LIMIT ${PAGE_ROWS}`)}
  WHERE before < ${FETCH_BYTES} ORDER BY id`;

/** A snapshot as PostgreSQL writes it, `xmin:xmax:xip,xip`: what it does not show begins at xmax, but for the xips. */
function unseenIn(snapshots: readonly string[]): { from: string; open: string[] } {
  const parts = snapshots.map((snapshot) => snapshot.split(':'));
  const ends = parts.map(([, xmax = '1']) => BigInt(xmax));
  const open = new Set(parts.flatMap(([, , xips = '']) => xips.split(',').filter((xip) => xip !== '')));
  return { from: String(ends.reduce((a, b) => (a < b ? a : b))), open: [...open] };
}

/** Reads on for lanes that stand at the same place, or, once they are exhausted, wherever each stands. */
export async function readPage(
  connections: Connections,
  encoder: MessageEncoder,
  lanes: readonly Reader[],
): Promise<Page> {
  const [first] = lanes;
  if (first === undefined) throw new TypeError('no lane is to be read for');
  // The lane may have gone back by the time that the rows are there.
  const place = first.read;
  // By lane; one that is not asked for has none and gets nothing.
  const settled = Array.from(
    { length: LANES },
    (_, lane) => lanes.find((it) => it.lane === lane)?.read.settled ?? null,
  );
  const fresh = isExhausted(place);
  const { from, open } = unseenIn(settled.filter((one) => one !== null));
  const windowEnd = BigInt(place.lastId) + WINDOW_IDS;
  const to = windowEnd < BigInt(place.upTo) ? String(windowEnd) : place.upTo;
  const statement: pg.QueryConfig = fresh
    ? { name: 'outbox-news', text: NEWS, values: [from, open, settled] }
    : { name: 'outbox-next', text: NEXT, values: [place.lastId, place.reading, settled, to] };
  const incarnations = lanes.map(({ incarnation }) => incarnation);
  const rows: OutboxRow[] = [];
  let { reading, upTo } = place;
  let bytes = 0;
  await connections.read<Found>(
    statement,
    incarnations,
    ([id, lane, topic, key, value, headers, size, shown, newest]) => {
      reading = shown ?? reading;
      upTo = newest ?? upTo;
      if (id === null) return;
      bytes += size;
      headers['ce_sequence'] = id;
      rows.push({ id, lane, message: encoder.encode({ topic, key, value, headers }) });
    },
  );
  const isCut = rows.length >= PAGE_ROWS || bytes >= FETCH_BYTES;
  const before = fresh ? String(BigInt(rows[0]?.id ?? 1) - 1n) : place.lastId;
  const last = isCut ? (rows.at(-1)?.id ?? before) : to;
  const isWhole = !isCut && (fresh || to === upTo);
  return {
    rows,
    before: (settled) => ({ settled, reading, lastId: before, upTo }),
    after: (settled) =>
      isWhole ? { settled: reading, reading, lastId: '0', upTo } : { settled, reading, lastId: last, upTo },
  };
}
