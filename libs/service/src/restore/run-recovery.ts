import { HeardClient, type OwnRecord, type OwnTopics } from '@castiron/outbox';
import type { DataSource } from 'typeorm';
import type { Recovery } from './recovery.js';
import type { RecoveryRun, Window } from './recovery-run.js';
import { keepRecovery } from './recoveries.table.js';

/** One recovery at a time, in whichever replica. Any constant does. */
const RECOVERY_LOCK = 4_761_538;

export interface RecoveryParts {
  readonly dataSource: DataSource;
  readonly topics: OwnTopics;
  readonly recovery: Recovery;
}

/**
 * Catches up with what the service told others before its database was lost. Only at the end it is marked that nothing is
 * missing, so that one which was interrupted begins again, and finds done what is done.
 */
export function runRecovery({ dataSource, topics, recovery }: RecoveryParts, run: RecoveryRun): Promise<void> {
  return alone(dataSource, async () => {
    run.phase('reading own topics');
    const mark = await topics.now();
    const records = new Map<string, OwnRecord[]>();
    let highest = 0n;
    for await (const record of topics.read(mark)) {
      const of = records.get(record.topic) ?? [];
      of.push(record);
      records.set(record.topic, of);
      if (record.sequence > highest) highest = record.sequence;
      if (!record.isKnown) run.count(`lost records on ${record.topic}`);
    }
    run.window = windowOf([...records.values()].flat());
    if (!run.dryRun) await topics.goOnAfter(highest);
    await recovery.recover(records, run);
    if (run.dryRun) return;
    run.phase('marking own topics');
    await keepRecovery(dataSource, run.report());
    if (!(await topics.mark(mark))) throw new Error('the database is another one than at the beginning');
  });
}

/** What stands nowhere: the relay had it not yet when the database was lost. */
function windowOf(records: readonly OwnRecord[]): Window | undefined {
  const lost = records.filter(({ isKnown }) => !isKnown);
  if (lost.length === 0) return undefined;
  let [last, lagMs] = [0, 0];
  for (const { timestamp, headers } of lost) {
    last = Math.max(last, timestamp.getTime());
    const written = Date.parse(headers['ce_time']?.toString() ?? '');
    if (!Number.isNaN(written)) lagMs = Math.max(lagMs, timestamp.getTime() - written);
  }
  return { from: new Date(last - lagMs).toISOString(), lagMs };
}

async function alone(dataSource: DataSource, work: () => Promise<void>): Promise<void> {
  const { url } = dataSource.options as { url?: string };
  // A connection of its own: closing it gives the lock back, whatever happened.
  const lock = new HeardClient({ connectionString: url });
  try {
    await lock.connect();
    const { rows } = await lock.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1) AS taken', [RECOVERY_LOCK]);
    if (rows[0]?.taken !== true) throw new Error('another replica is at it');
    await work();
  } finally {
    await lock.end().catch(() => undefined);
  }
}
