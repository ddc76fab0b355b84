import { readdirSync, readFileSync } from 'node:fs';
import pg from 'pg';
import { cpuTicks, US_PER_TICK } from './process-use.js';

const parentOf = (stat: string): number => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);

/** What all processes of a PostgreSQL use; from Linux's `/proc`. */
export class PostgresUse {
  private constructor(private readonly postmaster: number) {}

  /** @returns undefined where its processes are not among ours, as in a container */
  static async of(url: string): Promise<PostgresUse | undefined> {
    const client = new pg.Client(url);
    await client.connect();
    try {
      const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      const stat = readFileSync(`/proc/${rows[0]?.pid}/stat`, 'utf8');
      return /\(postgres\b/.test(stat) ? new PostgresUse(parentOf(stat)) : undefined;
    } catch {
      return undefined;
    } finally {
      await client.end();
    }
  }

  /** CPU time so far, in microseconds, of those that have ended too. */
  cpuUs(): number {
    let ticks = 0;
    for (const entry of readdirSync('/proc')) {
      if (!/^\d+$/.test(entry)) continue;
      try {
        const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
        const { own, ended } = cpuTicks(stat);
        if (Number(entry) === this.postmaster) ticks += own + ended;
        else if (parentOf(stat) === this.postmaster) ticks += own;
      } catch {
        // It ended in this moment: its parent will have it.
      }
    }
    return ticks * US_PER_TICK;
  }
}
