import type { Databases } from '../observe/databases.js';
import { SERVICES, type Service } from '../plan/faults.js';
import type { Point } from '../proxy/points.js';

/** Where leases of lanes stand: of an outbox, which each service has, and of feeds. */
export const LANE_TABLES = ['outbox_lanes', 'feed_lanes'] as const;
export type LaneTable = (typeof LANE_TABLES)[number];

const tablesOf = (service: Service): readonly LaneTable[] =>
  service === 'partner-sharing' ? LANE_TABLES : ['outbox_lanes'];

const LANE_POINTS: Readonly<Partial<Record<Point, LaneTable>>> = {
  'before-send': 'outbox_lanes',
  'before-mark': 'outbox_lanes',
  'before-feed-send': 'feed_lanes',
  'before-feed-settle': 'feed_lanes',
};

/** Whose lanes it is about where bytes are asked for at a point; undefined where whoever comes by needs none. */
export const lanesAt = (point: Point): LaneTable | undefined => LANE_POINTS[point];

/** How a lane stands at one look. */
export interface Lease {
  readonly lane: number;
  /** Grows with each owner. */
  readonly token: string;
  /** -infinity: its owner has let go of it. */
  readonly until: string;
}

export const leasesOf = (databases: Databases, service: Service, table: LaneTable): Promise<Lease[]> =>
  databases.query<Lease & { [name: string]: unknown }>(
    service,
    `SELECT lane, token::text, lease_until::text AS until FROM ${table}`,
  );

/**
 * What became by the second look of everything that somebody had who is silent since the first: another has `taken` it, or
 * some of it still `waits`; `none` where nobody is silent.
 */
export function successionIn(first: readonly Lease[], second: readonly Lease[]): 'taken' | 'waits' | 'none' {
  const before = new Map(first.map((lease) => [lease.lane, lease]));
  const held = second.flatMap((now) => {
    const was = before.get(now.lane);
    return was === undefined || was.until === '-infinity' ? [] : [{ was, now }];
  });
  if (held.some(({ was, now }) => now.token === was.token && now.until === was.until)) return 'waits';
  return held.some(({ was, now }) => now.token !== was.token) ? 'taken' : 'none';
}

/**
 * Counts lanes that were taken although nobody had let go of them. The function runs as its owner: the service's role
 * neither sees nor may write what it keeps.
 */
const COUNT = `
  CREATE TABLE IF NOT EXISTS faults_takeovers (n bigserial, place text);
  CREATE OR REPLACE FUNCTION faults_count_takeover() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
  BEGIN
    INSERT INTO faults_takeovers (place) VALUES (TG_TABLE_NAME);
    RETURN NULL;
  END $$`;

const counting = (table: LaneTable): string => `
  DROP TRIGGER IF EXISTS faults_takeovers ON ${table};
  CREATE TRIGGER faults_takeovers AFTER UPDATE OF token ON ${table} FOR EACH ROW
    WHEN (OLD.lease_until > '-infinity') EXECUTE FUNCTION faults_count_takeover()`;

export type Takeovers = Readonly<Record<LaneTable, number>>;

export const since = (before: Takeovers, now: Takeovers): Takeovers => ({
  outbox_lanes: now.outbox_lanes - before.outbox_lanes,
  feed_lanes: now.feed_lanes - before.feed_lanes,
});

/** How often lanes were taken over from somebody who had not let go, by whom they are of. */
export class TakeoverCount {
  private constructor(private readonly databases: Databases) {}

  static async in(databases: Databases): Promise<TakeoverCount> {
    for (const service of SERVICES) {
      await databases.query(service, COUNT);
      for (const table of tablesOf(service)) await databases.query(service, counting(table));
    }
    return new TakeoverCount(databases);
  }

  private async of(service: Service): Promise<Takeovers> {
    const rows = await this.databases.query<{ place: LaneTable; n: number }>(
      service,
      'SELECT place, count(*)::int AS n FROM faults_takeovers GROUP BY place',
    );
    const counts = new Map(rows.map(({ place, n }) => [place, n]));
    return { outbox_lanes: counts.get('outbox_lanes') ?? 0, feed_lanes: counts.get('feed_lanes') ?? 0 };
  }

  async ofAll(): Promise<Takeovers> {
    const all = await Promise.all(SERVICES.map((service) => this.of(service)));
    const sum = (table: LaneTable) => all.reduce((total, counts) => total + counts[table], 0);
    return { outbox_lanes: sum('outbox_lanes'), feed_lanes: sum('feed_lanes') };
  }
}
