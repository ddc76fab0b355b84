import type { Committed } from '../check/observed.js';
import { SERVICES } from '../plan/faults.js';
import type { Before } from './before.js';
import type { Databases } from './databases.js';
import type { Placed } from './topics.js';

/** All events that were committed since. */
export async function committedSince(databases: Databases, { committed }: Before): Promise<Committed[]> {
  const rows = await Promise.all(
    SERVICES.map((service) =>
      databases.query<{ id: string; event: string; topic: string; key: string }>(
        service,
        'SELECT id, event, topic, key FROM faults_outbox WHERE id > $1 ORDER BY id',
        [committed.get(service) ?? 0],
      ),
    ),
  );
  return rows.flatMap((own, at) =>
    own.map(({ id, event, topic, key }) => ({
      service: SERVICES[at] ?? '',
      order: Number(id),
      id: event,
      topic,
      key,
    })),
  );
}

/** Leaves out what was committed before the run or after it was looked at; what no outbox ever held is left in. */
export async function withoutOthers(
  databases: Databases,
  committed: readonly Committed[],
  records: readonly Placed[],
): Promise<Placed[]> {
  const own = new Set(committed.map(({ id }) => id));
  const further = records.map(({ id }) => id).filter((id) => !own.has(id));
  const known = await Promise.all(
    SERVICES.map((service) =>
      databases.query<{ event: string }>(service, 'SELECT event FROM faults_outbox WHERE event::text = ANY ($1)', [
        further,
      ]),
    ),
  );
  const others = new Set(known.flat().map(({ event }) => event));
  return records.filter(({ id }) => !others.has(id));
}
