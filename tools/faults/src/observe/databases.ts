import pg from 'pg';
import type { Service } from '../plan/faults.js';

/**
 * Remembers each version that a consumer's row went through, so that one that went back and came forward again is seen.
 * The function runs as its owner: the service's role neither sees nor may write the trail.
 */
const TRAIL = `
  CREATE TABLE IF NOT EXISTS faults_trail (n bigserial, place text, key text, before int, after int, at timestamptz DEFAULT clock_timestamp());
  CREATE OR REPLACE FUNCTION faults_remember() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
  BEGIN
    INSERT INTO faults_trail (place, key, before, after) VALUES (TG_TABLE_NAME, to_jsonb(NEW) ->> TG_ARGV[0],
      CASE WHEN TG_OP = 'UPDATE' THEN (to_jsonb(OLD) ->> 'version')::int END, (to_jsonb(NEW) ->> 'version')::int);
    RETURN NULL;
  END $$`;

const trigger = (table: string, key: string): string => `
  DROP TRIGGER IF EXISTS faults_trail ON ${table};
  CREATE TRIGGER faults_trail AFTER INSERT OR UPDATE OF version ON ${table} FOR EACH ROW EXECUTE FUNCTION faults_remember('${key}')`;

/**
 * Remembers each event that was committed, those that are there included. The lock of the trigger keeps further ones out
 * until all of it has come to pass.
 */
const OUTBOX_TRAIL = `
  CREATE TABLE IF NOT EXISTS faults_outbox (id bigint PRIMARY KEY, event uuid, topic text, key text, type text);
  CREATE OR REPLACE FUNCTION faults_keep_event() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
  BEGIN
    INSERT INTO faults_outbox VALUES (NEW.id, NEW.event_id, NEW.aggregatetype, NEW.aggregateid, NEW.type);
    RETURN NULL;
  END $$;
  DROP TRIGGER IF EXISTS faults_outbox ON outbox;
  CREATE TRIGGER faults_outbox AFTER INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION faults_keep_event();
  INSERT INTO faults_outbox SELECT id, event_id, aggregatetype, aggregateid, type FROM outbox ON CONFLICT DO NOTHING`;

const TRAILED: Readonly<Record<Service, readonly (readonly [table: string, key: string])[]>> = {
  'customer-profiles': [['customers', 'id']],
  'partner-sharing': [
    ['customers', 'id'],
    ['shares', 'id'],
  ],
  notifications: [['subjects', 'subject']],
};

/** Looks into the services' databases as the superuser, past the proxies. */
export class Databases {
  private readonly pools = new Map<Service, pg.Pool>();

  private constructor(private readonly admin: string) {}

  static async open(admin: string): Promise<Databases> {
    const databases = new Databases(admin);
    for (const service of Object.keys(TRAILED) as Service[]) {
      await databases.query(service, TRAIL);
      await databases.query(service, OUTBOX_TRAIL);
      for (const [table, key] of TRAILED[service]) await databases.query(service, trigger(table, key));
    }
    return databases;
  }

  async query<Row extends pg.QueryResultRow>(
    service: Service,
    text: string,
    values: readonly unknown[] = [],
  ): Promise<Row[]> {
    const { rows } = await this.poolOf(service).query<Row>(text, values.length > 0 ? [...values] : undefined);
    return rows;
  }

  /** Ends every connection but our own. */
  async terminateOthers(): Promise<number> {
    const rows = await this.query(
      'partner-sharing',
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE backend_type = 'client backend' AND usename <> 'admin'`,
    );
    return rows.length;
  }

  async close(): Promise<void> {
    await Promise.all([...this.pools.values()].map((pool) => pool.end().catch(() => undefined)));
  }

  private poolOf(service: Service): pg.Pool {
    const known = this.pools.get(service);
    if (known !== undefined) return known;
    const url = new URL(this.admin);
    url.pathname = `/${service}`;
    const pool = new pg.Pool({ connectionString: url.toString(), max: 2, connectionTimeoutMillis: 5_000 });
    // PostgreSQL is restarted on purpose.
    pool.on('error', () => undefined);
    this.pools.set(service, pool);
    return pool;
  }
}
