import { randomUUID } from 'node:crypto';
import { freshDatabaseUrl } from '@castiron/testing';
import { Client } from 'pg';
import type { EntityManager } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lockEpochs, lockEpochsShared } from './epoch-locks.js';

const RELEASERS = 32;
const share = randomUUID();
const clients: Client[] = [];
let connectionString: string;

beforeAll(async () => {
  connectionString = await freshDatabaseUrl();
  for (let n = 0; n < RELEASERS + 2; n += 1) clients.push(new Client({ connectionString }));
  await Promise.all(clients.map((client) => client.connect()));
});
afterAll(() => Promise.all(clients.map((client) => client.end())));

/** As a transaction of the service, on a connection of its own: a pool would let only ten of them race. */
async function transaction(client: Client, work: (manager: EntityManager) => Promise<unknown>): Promise<void> {
  await client.query('BEGIN');
  const query = async (text: string, values?: unknown[]) => (await client.query(text, values)).rows;
  await work({ query } as unknown as EntityManager);
  await client.query('COMMIT');
}

async function pidOf(client: Client): Promise<number> {
  const [row] = (await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows;
  return row?.pid ?? 0;
}

/** Whether a connection stands in the queue of a lock. */
async function waits(watching: Client, pid: number): Promise<boolean> {
  const { rows } = await watching.query(`SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND wait_event_type = 'Lock'`, [
    pid,
  ]);
  return rows.length > 0;
}

describe('the lock of a share', () => {
  it('goes to a revocation in its turn, however many releases of it overlap without end', async () => {
    const [revoking, watching, ...releasing] = clients;
    let [released, revoked] = [0, false];
    const releases = releasing.map(async (client) => {
      while (!revoked) {
        await transaction(client, async (manager) => {
          await lockEpochsShared(manager, { agreement: [], customer: [], share: [share] });
          await manager.query('SELECT pg_sleep(0.05)');
        });
        released += 1;
      }
    });
    const deadline = AbortSignal.timeout(15_000);
    const givenUp = new Promise((resolve) => deadline.addEventListener('abort', resolve));
    const revocation = (async () => {
      // They overlap by now, one taking over from the other.
      while (released < 2 * RELEASERS) await revoking!.query('SELECT pg_sleep(0.01)');
      let isIn = false;
      const pid = await pidOf(revoking!);
      const locking = transaction(revoking!, (manager) => lockEpochs(manager, 'share', [share])).then(
        () => (isIn = true),
      );
      while (!isIn && !(await waits(watching!, pid)));
      const asked = released;
      await locking;
      return released - asked;
    })();
    const overtaken = await Promise.race([revocation, givenUp]);
    revoked = true;
    await Promise.all([...releases, revocation]);
    // Those that held it when the revocation asked end; those that come later wait.
    expect(overtaken).toBeLessThanOrEqual(RELEASERS);
  });

  it('is lost by whoever falls silent with it, and a revocation gets it in time', async () => {
    const silent = new Client({ connectionString });
    let ended = '';
    silent.on('error', (error) => (ended += error.message));
    await silent.connect();
    const query = async (text: string, values?: unknown[]) => (await silent.query(text, values)).rows;
    await silent.query('BEGIN');
    await lockEpochsShared({ query } as unknown as EntityManager, { agreement: [], customer: [], share: [share] });
    const revoking = clients[0]!;
    // As long as a request has.
    await revoking.query(`SET lock_timeout = '3s'`);
    await transaction(revoking, (manager) => lockEpochs(manager, 'share', [share]));
    expect(ended).toContain('idle-in-transaction timeout');
  });
});
