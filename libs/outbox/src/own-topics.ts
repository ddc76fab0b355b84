import { randomUUID } from 'node:crypto';
import { readAll, type Kafka, type PlacedMessage } from '@castiron/kafka';
import type { DataSource } from 'typeorm';
import { createPartitions } from './partitions.js';

/** Records that are looked for in the outbox at once. */
const CHUNK = 1_000;
/** Where nothing was marked yet, so many of each partition are looked at. */
const LAST_UNMARKED = 1_000;

export interface OwnTopicsOptions {
  readonly dataSource: DataSource;
  readonly kafka: Kafka;
  /** Names of the topics that this service's outbox alone writes to. */
  readonly topics: readonly string[];
  /** What the names of the consumer groups begin with that they are read with: READ on them is needed, and on the topics. */
  readonly group: string;
}

/** A record behind the marks. */
export interface OwnRecord extends PlacedMessage {
  /** The id that it had in its outbox. */
  readonly sequence: bigint;
  /** Whether this database wrote it. What it did not write is of a life of it that was lost. */
  readonly isKnown: boolean;
}

/** Next offsets by topic and partition. */
type Ends = ReadonlyMap<string, ReadonlyMap<number, bigint>>;

/** What is to be marked, asked for in this order. */
export interface Mark {
  readonly place: string;
  readonly settled: ReadonlyMap<number, string>;
  readonly ends: Ends;
}

/**
 * The server and the database on it, as they are now. Another one after a restore, whichever way that was made, but for one in
 * place while nobody looks: processes are to be stopped for that.
 */
const HERE = `concat_ws('/', (SELECT system_identifier FROM pg_control_system()), extract(epoch FROM pg_postmaster_start_time()),
  (SELECT oid FROM pg_database WHERE datname = current_database()), 'outbox_lanes'::regclass::oid)`;

/**
 * Whether a database has written all that stands on the topics that it alone writes to. One that was restored from a backup
 * has not, for what was published since stands there; nor has one that was restored and went on since, though its ids are
 * those of what was lost: an event's own id is not given twice.
 *
 * How far its topics are known to be of its own writing is marked in the database itself, every now and then, so that it goes
 * back with it. What stands behind the mark is looked for in the outbox, which keeps it until it is marked.
 */
export class OwnTopics {
  constructor(private readonly options: OwnTopicsOptions) {}

  /** How things stand now, for {@link mark}. @throws where a topic cannot be asked about */
  async now(): Promise<Mark> {
    const [place, settled] = [await this.place(), await this.settled()];
    return { place, settled, ends: await this.ends() };
  }

  /** Changes with the database. */
  async place(): Promise<string> {
    const [row] = await this.options.dataSource.query<{ here: string }[]>(`SELECT ${HERE} AS here`);
    if (row === undefined) throw new Error('PostgreSQL does not tell where it is');
    return row.here;
  }

  private async ends(): Promise<Ends> {
    const admin = this.options.kafka.admin();
    try {
      const ends = new Map<string, ReadonlyMap<number, bigint>>();
      for (const topic of this.options.topics) {
        const offsets = await admin.endOffsets(topic);
        ends.set(topic, new Map(offsets.map(({ partition, offset }) => [partition, BigInt(offset)])));
      }
      return ends;
    } finally {
      await admin.close();
    }
  }

  /** What stands behind the marks, topic by topic, in the order of each partition. Records that no outbox sent are left out. */
  async *read({ ends }: Pick<Mark, 'ends'>): AsyncGenerator<OwnRecord> {
    const marks = await this.marks();
    for (const [topic, of] of ends) {
      const known = marks.get(topic);
      const from = new Map([...of].map(([partition, end]) => [partition, known?.get(partition) ?? firstUnmarked(end)]));
      // A topic that was made anew is shorter than its mark.
      if ([...of].every(([partition, end]) => (from.get(partition) ?? 0n) >= end)) continue;
      yield* this.recognised(topic, from, known !== undefined);
    }
  }

  /** What each lane has sent by now. To be asked for before the ends with which it is marked. */
  private async settled(): Promise<ReadonlyMap<number, string>> {
    const rows = await this.options.dataSource.query<{ lane: number; settled: string }[]>(
      'SELECT lane, settled::text FROM outbox_lanes',
    );
    return new Map(rows.map(({ lane, settled }) => [lane, settled]));
  }

  /**
   * All up to these ends is of our own writing, or was looked at by who calls this; what lanes had settled before stands there,
   * and need not be kept any more. Where the database is another one by now, nothing is marked.
   * @param place of before the ends were asked for
   * @returns whether it was marked
   */
  async mark({ place, settled, ends }: Mark): Promise<boolean> {
    const rows = [...ends].flatMap(([topic, of]) =>
      [...of].map(([partition, offset]) => ({ topic, partition, offset })),
    );
    const [marked] = await this.options.dataSource.query<{ here: string }[]>(
      `WITH here AS (SELECT WHERE ${HERE} = $1),
       marks AS (
         INSERT INTO outbox_marks (topic, partition, next_offset)
         SELECT given.* FROM unnest($2::text[], $3::int[], $4::bigint[]) AS given, here
         ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset),
       lanes AS (
         UPDATE outbox_lanes l SET marked = s.settled::pg_snapshot
         FROM unnest($5::smallint[], $6::text[]) AS s (lane, settled), here
         WHERE l.lane = s.lane AND l.marked::text IS DISTINCT FROM s.settled)
       SELECT count(*) AS here FROM here`,
      [
        place,
        rows.map(({ topic }) => topic),
        rows.map(({ partition }) => partition),
        rows.map(({ offset }) => offset.toString()),
        [...settled.keys()],
        [...settled.values()],
      ],
    );
    return marked?.here === '1';
  }

  /** Ids go on behind this one, so that none is given out twice. */
  async goOnAfter(sequence: bigint): Promise<void> {
    await this.options.dataSource.transaction(async (manager) => {
      await manager.query(`SELECT setval('outbox_id', $1) FROM outbox_id WHERE last_value < $1`, [sequence.toString()]);
      await createPartitions((statement, values) => manager.query(statement, values));
    });
  }

  private async marks(): Promise<Ends> {
    const rows = await this.options.dataSource.query<{ topic: string; partition: number; next_offset: string }[]>(
      'SELECT topic, partition, next_offset FROM outbox_marks',
    );
    const marks = new Map<string, Map<number, bigint>>();
    for (const { topic, partition, next_offset } of rows)
      marks.set(topic, (marks.get(topic) ?? new Map<number, bigint>()).set(partition, BigInt(next_offset)));
    return marks;
  }

  private async *recognised(
    topic: string,
    from: ReadonlyMap<number, bigint>,
    isMarked: boolean,
  ): AsyncGenerator<OwnRecord> {
    const { kafka, group } = this.options;
    let waiting: (PlacedMessage & { sequence: bigint; id: string })[] = [];
    for await (const message of readAll(kafka, topic, { groupId: `${group}${randomUUID()}`, from })) {
      const [id, sequence] = ['ce_id', 'ce_sequence'].map((name) => message.headers[name]?.toString() ?? '');
      if (!/^[0-9a-f-]{36}$/.test(id ?? '') || !/^\d{1,18}$/.test(sequence ?? '')) continue;
      waiting.push({ ...message, sequence: BigInt(sequence ?? 0), id: id ?? '' });
      if (waiting.length < CHUNK) continue;
      yield* await this.looked(waiting, isMarked);
      waiting = [];
    }
    yield* await this.looked(waiting, isMarked);
  }

  private async looked(
    records: readonly (PlacedMessage & { sequence: bigint; id: string })[],
    isMarked: boolean,
  ): Promise<readonly OwnRecord[]> {
    if (records.length === 0) return [];
    // Before there are marks, what was sent may be dropped: an id that was never given out shows all the same.
    const known = isMarked
      ? `EXISTS (SELECT FROM outbox WHERE id = given.sequence AND event_id = given.id)`
      : `given.sequence <= (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM outbox_id)`;
    const rows = await this.options.dataSource.query<{ known: boolean }[]>(
      `SELECT ${known} AS known FROM unnest($1::bigint[], $2::uuid[]) WITH ORDINALITY AS given (sequence, id, place) ORDER BY place`,
      [records.map(({ sequence }) => sequence.toString()), records.map(({ id }) => id)],
    );
    return records.map((record, place) => ({ ...record, isKnown: rows[place]?.known === true }));
  }
}

const firstUnmarked = (end: bigint): bigint => (end > BigInt(LAST_UNMARKED) ? end - BigInt(LAST_UNMARKED) : 0n);
