import { defineEvent, defineTopic } from '@castiron/contracts';
import { Refused } from '@castiron/failures';
import { runWithCorrelation } from '@castiron/observability';
import { freshDatabase } from '@castiron/testing';
import { Type } from 'typebox';
import type { DataSource, EntitySubscriberInterface, MigrationInterface, QueryRunner } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { outboxKey, Transactions, type PendingEvent, type Tx } from './index.js';

const counted = defineEvent({
  type: 'spec.counted.v1',
  topic: defineTopic({ name: 'spec.transactions.v1', kind: 'state' }),
  producer: 'notifications',
  classification: 'internal',
  personal: false,
  schema: Type.Object({ key: Type.String(), n: Type.Integer() }),
  key: (data) => data.key,
  example: { key: 'a', n: 1 },
});
const keyOf = (key: string) => outboxKey('spec.transactions.v1', key);

class CountSomething1795392000901 implements MigrationInterface {
  readonly name = 'CountSomething1795392000901';
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE counters (key text PRIMARY KEY, n int NOT NULL)');
    await runner.query(
      'CREATE TABLE sent (id bigserial PRIMARY KEY, key text NOT NULL, n int NOT NULL, headers jsonb NOT NULL)',
    );
  }
  down(): Promise<void> {
    return Promise.reject(new Error('forward only'));
  }
}

let dataSource: DataSource;
let transactions: Transactions;
let wakes: number;

beforeAll(async () => {
  dataSource = await freshDatabase([CountSomething1795392000901]);
  transactions = new Transactions(
    dataSource,
    {
      append(events: readonly PendingEvent[]) {
        const rows = events.map(({ message: { key, value, headers } }) => {
          const { n } = JSON.parse(value ?? '{"n":-1}') as { n: number };
          return { key, n, headers };
        });
        return {
          name: 'send',
          text: `INSERT INTO sent (key, n, headers)
                 SELECT key, n, headers FROM jsonb_to_recordset($1) AS r(key text, n int, headers jsonb)`,
          values: [JSON.stringify(rows)],
        };
      },
      wake: () => (wakes += 1),
    },
    { counted },
  );
});
beforeEach(async () => {
  wakes = 0;
  await dataSource.query('TRUNCATE counters, sent');
});
afterAll(() => dataSource.destroy());

async function count(tx: Tx, key: string): Promise<number> {
  const [row] = await tx.manager.query<{ n: number }[]>(
    'INSERT INTO counters VALUES ($1, 1) ON CONFLICT (key) DO UPDATE SET n = counters.n + 1 RETURNING n',
    [key],
  );
  return row?.n ?? 0;
}

const sent = async (): Promise<string[]> =>
  (await dataSource.query<{ key: string; n: number }[]>('SELECT key, n FROM sent ORDER BY id')).map(
    ({ key, n }) => `${key}${n}`,
  );

describe('a transaction', () => {
  it('commits its changes and events as one, and wakes the outbox afterwards', async () => {
    let after = 0;
    const result = await runWithCorrelation('spec-correlation', () =>
      transactions.run([keyOf('a')], async (tx) => {
        const n = await count(tx, 'a');
        tx.publish(counted, { key: 'a', n });
        tx.tombstone(counted, 'a');
        tx.afterCommit(() => (after += 1));
        expect([wakes, after]).toEqual([0, 0]);
        return n;
      }),
    );
    expect([result, wakes, after]).toEqual([1, 1, 1]);
    expect(await sent()).toEqual(['a1', 'a-1']);
    const [{ headers }] = await dataSource.query<[{ headers: Record<string, string> }]>('SELECT headers FROM sent');
    expect(headers).toMatchObject({ ce_type: 'spec.counted.v1', ce_correlationid: 'spec-correlation' });
  });

  it('leaves nothing behind when it is refused, and passes the refusal on', async () => {
    const refusal = new Refused({ kind: 'conflict', code: 'taken', detail: 'It is taken.' });
    let after = 0;
    const run = transactions.run([keyOf('a')], async (tx) => {
      tx.publish(counted, { key: 'a', n: await count(tx, 'a') });
      tx.afterCommit(() => (after += 1));
      throw refusal;
    });
    await expect(run).rejects.toBe(refusal);
    expect([await sent(), wakes, after]).toEqual([[], 0, 0]);
    expect(await dataSource.query('SELECT * FROM counters')).toEqual([]);
  });

  it('leaves nothing behind where its events cannot be written, and its connection is as before', async () => {
    const single = await freshDatabase([CountSomething1795392000901], { poolSize: 1 });
    onTestFinished(() => single.destroy());
    const divide = { name: 'divide', text: 'SELECT 1 / $1::int', values: ['0'] };
    const outbox = { append: () => divide, wake: () => expect.unreachable() };
    const failing = new Transactions(single, outbox, { counted });
    const publish = async (tx: Tx) => tx.publish(counted, { key: 'a', n: await count(tx, 'a') });
    for (const _ of [1, 2]) await expect(failing.run([keyOf('a')], publish)).rejects.toThrow('division by zero');
    expect(await single.query('SELECT key FROM counters')).toEqual([]);
    await failing.run([], (tx) => count(tx, 'b'));
    expect(await single.query('SELECT key FROM counters')).toEqual([{ key: 'b' }]);
  });

  it('holds the locks of its keys from its first statement on', async () => {
    const held = await transactions.run([keyOf('a')], (tx) =>
      tx.manager.query(`SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()`),
    );
    expect(held).toHaveLength(1);
  });

  it('publishes though its work asks nothing', async () => {
    await transactions.run([keyOf('a')], (tx) => Promise.resolve(tx.publish(counted, { key: 'a', n: 7 })));
    expect([await sent(), wakes]).toEqual([['a7'], 1]);
  });

  it('holds the locks of its keys where its work asks nothing', async () => {
    const held = {
      name: 'held',
      text: `INSERT INTO sent (key, n, headers) SELECT 'locks', count(*), '{}'
             FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()`,
    };
    const telling = new Transactions(dataSource, { append: () => held, wake: () => undefined }, { counted });
    await telling.run([keyOf('a')], (tx) => Promise.resolve(tx.publish(counted, { key: 'a', n: 7 })));
    expect(await sent()).toEqual(['locks1']);
  });

  it('takes back what its work asked and did not wait for where that fails', async () => {
    const run = transactions.run([keyOf('a')], async (tx) => {
      void count(tx, 'a').catch(() => undefined);
      await Promise.reject(new Error('and did not wait'));
    });
    await expect(run).rejects.toThrow('and did not wait');
    await count({ manager: dataSource.manager } as Tx, 'b');
    expect(await dataSource.query('SELECT key FROM counters')).toEqual([{ key: 'b' }]);
  });

  it('does not take for committed what a failed statement has undone, even if the work passes over that', async () => {
    const run = transactions.run([keyOf('a')], async (tx) => {
      await count(tx, 'a');
      await tx.manager.query('SELECT 1 / 0').catch(() => undefined);
    });
    await expect(run).rejects.toThrow('nothing was committed');
    expect(await dataSource.query('SELECT key FROM counters')).toEqual([]);
  });

  describe('whose commit something else comes before', () => {
    const write = () =>
      transactions.run([keyOf('a')], async (tx) => tx.publish(counted, { key: 'a', n: await count(tx, 'a') }));
    const subscribe = (subscriber: EntitySubscriberInterface) => {
      dataSource.subscribers.push(subscriber);
      onTestFinished(() => void dataSource.subscribers.pop());
    };

    it('is rolled back where that is a failure', async () => {
      subscribe({
        beforeTransactionCommit() {
          throw new Error('not to be committed');
        },
      });
      await expect(write()).rejects.toThrow('not to be committed');
      expect([await sent(), wakes]).toEqual([[], 0]);
      expect(await dataSource.query('SELECT key FROM counters')).toEqual([]);
    });

    it('leaves its connection as before where that fails, and the rollback too', async () => {
      const fails = (): never => {
        throw new Error('not to be ended');
      };
      const single = await freshDatabase([CountSomething1795392000901], { poolSize: 1 });
      onTestFinished(() => single.destroy());
      single.subscribers.push({ beforeTransactionCommit: fails, beforeTransactionRollback: fails });
      const outbox = { append: () => expect.unreachable(), wake: () => expect.unreachable() };
      const own = new Transactions(single, outbox, { counted });
      await expect(own.run([keyOf('a')], () => Promise.resolve())).rejects.toThrow('not to be ended');
      await single.query(`INSERT INTO counters VALUES ('a', 1)`);
      expect(await single.query('SELECT pg_current_xact_id_if_assigned() AS open')).toEqual([{ open: null }]);
    });

    it('is committed with that where it is a statement', async () => {
      subscribe({
        beforeTransactionCommit: ({ queryRunner }) =>
          queryRunner.query('INSERT INTO counters VALUES ($1, 1)', ['late']),
      });
      await write();
      expect(await sent()).toEqual(['a1']);
      expect(await dataSource.query('SELECT key FROM counters ORDER BY key')).toEqual([{ key: 'a' }, { key: 'late' }]);
    });
  });

  it('refuses an event whose key it does not hold', async () => {
    const run = transactions.run([keyOf('a')], (tx) => Promise.resolve(tx.publish(counted, { key: 'b', n: 1 })));
    await expect(run).rejects.toThrow(/not claimed/);
  });

  it('refuses an event that is not among the publications of its service', async () => {
    const other: typeof counted = { ...counted, type: 'spec.other.v1' };
    const publish = (tx: Tx) => Promise.resolve(tx.publish(other, { key: 'a', n: 1 }));
    await expect(transactions.run([keyOf('a')], publish)).rejects.toThrow(
      /spec\.other\.v1 is not among the publications/,
    );
    const remove = (tx: Tx) => Promise.resolve(tx.tombstone(other, 'a'));
    await expect(transactions.run([keyOf('a')], remove)).rejects.toThrow(/not among the publications/);
    expect(await sent()).toEqual([]);
  });

  it('refuses an event of work that was not waited for, instead of losing it', async () => {
    const late = await transactions.run([keyOf('a')], (tx) =>
      Promise.resolve(() => tx.publish(counted, { key: 'a', n: 1 })),
    );
    expect(late).toThrow(/after the work/);
  });

  it('starts again with the larger set when it meets a further key, even if the work catches that', async () => {
    let runs = 0;
    await transactions.run([keyOf('a')], async (tx) => {
      runs += 1;
      const n = await count(tx, 'a');
      try {
        tx.claim([keyOf('b'), keyOf('c')]);
      } catch {
        return;
      }
      tx.publish(counted, { key: 'b', n });
    });
    expect([runs, await sent()]).toEqual([2, ['b1']]);
  });

  it('starts again for as long as that brings new keys, to 256 of them', async () => {
    const keys = Array.from({ length: 257 }, (_, n) => keyOf(String(n)));
    const claimUpTo = (most: number) =>
      transactions.run([], (tx) => {
        for (let n = 0; n < most; n += 16) tx.claim(keys.slice(n, Math.min(n + 16, most)));
        tx.publish(counted, { key: '0', n: most });
        return Promise.resolve();
      });
    await claimUpTo(256);
    expect(await sent()).toEqual(['0256']);
    await expect(claimUpTo(257)).rejects.toThrow(/256/);
  });

  it('holds 256 keys at most', async () => {
    const keys = Array.from({ length: 257 }, (_, n) => keyOf(String(n)));
    await expect(transactions.run(keys, () => Promise.resolve())).rejects.toThrow(/256/);
  });

  it('drops what a failed savepoint did, and only that', async () => {
    let after = '';
    await transactions.run([keyOf('a')], async (tx) => {
      tx.publish(counted, { key: 'a', n: 10 });
      await tx
        .savepoint(async () => {
          await count(tx, 'lost');
          tx.publish(counted, { key: 'a', n: 11 });
          tx.afterCommit(() => (after += 'lost'));
          await tx.manager.query('SELECT 1/0');
        })
        .catch(() => undefined);
      await tx.savepoint(async () => {
        await count(tx, 'kept');
        tx.publish(counted, { key: 'a', n: 12 });
        tx.afterCommit(() => (after += 'kept'));
      });
    });
    expect([await sent(), after]).toEqual([['a10', 'a12'], 'kept']);
    expect(await dataSource.query('SELECT key FROM counters')).toEqual([{ key: 'kept' }]);
  });

  it('is READ COMMITTED, whatever the database begins with', async () => {
    const strict = await freshDatabase([]);
    onTestFinished(() => strict.destroy());
    const [here] = await strict.query<[{ name: string }]>('SELECT current_database() AS name');
    await strict.query(`ALTER DATABASE ${here.name} SET default_transaction_isolation = 'serializable'`);
    const outbox = { append: () => ({ name: 'nothing', text: 'SELECT' }), wake: () => undefined };
    const levelOf = () =>
      new Transactions(strict, outbox, {}).run([keyOf('a')], async ({ manager }) => {
        const [row] = await manager.query<{ level: string }[]>(
          `SELECT current_setting('transaction_isolation') AS level, pg_sleep(0.1)`,
        );
        return row?.level;
      });
    // On connections that are opened now, since all run at the same time.
    expect(new Set(await Promise.all([levelOf(), levelOf(), levelOf()]))).toEqual(new Set(['read committed']));
    const began = await Promise.all([1, 2, 3].map(() => strict.query(`SHOW transaction_isolation`)));
    expect(JSON.stringify(began)).toContain('serializable');
  });

  it('holds a transaction within it as a savepoint', async () => {
    await transactions.run([keyOf('a')], async (tx) => {
      await count(tx, 'kept');
      const within = tx.manager.transaction(async (manager) => {
        await manager.query(`INSERT INTO counters VALUES ('lost', 1)`);
        throw new Error('within');
      });
      await expect(within).rejects.toThrow('within');
      expect(await dataSource.query('SELECT key FROM counters')).toEqual([]);
    });
    expect(await dataSource.query('SELECT key FROM counters')).toEqual([{ key: 'kept' }]);
  });

  it('keeps the order of commits per key among racing writers that take several keys in any order', async () => {
    const keys = ['a', 'b', 'c'];
    const write = async (writer: number): Promise<void> => {
      for (let n = 0; n < 15; n += 1) {
        const mine = [keys[(writer + n) % 3] ?? 'a', keys[(writer * 2 + n + 1) % 3] ?? 'b'];
        await transactions.run([...mine].reverse().map(keyOf), async (tx) => {
          for (const key of new Set(mine)) {
            // Reads, waits and writes without a row lock: only the transaction's locks keep this straight.
            const [row] = await tx.manager.query<{ n: number }[]>('SELECT n FROM counters WHERE key = $1', [key]);
            const next = (row?.n ?? 0) + 1;
            await tx.manager.query('SELECT pg_sleep(0.002)');
            await tx.manager.query('INSERT INTO counters VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET n = $2', [
              key,
              next,
            ]);
            tx.publish(counted, { key, n: next });
          }
        });
      }
    };
    await Promise.all(Array.from({ length: 12 }, (_, writer) => write(writer)));
    const all = await sent();
    for (const key of keys) {
      const numbers = all.filter((one) => one.startsWith(key)).map((one) => Number(one.slice(1)));
      expect(numbers.length).toBeGreaterThan(0);
      expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    }
  });
});
