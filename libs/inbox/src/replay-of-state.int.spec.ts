import { eventually, freshDatabase } from '@castiron/testing';
import { describe, expect, it } from 'vitest';
import type { Inbox } from './index.js';
import { event, eventOn } from './testing/inbox.rig.js';
import { migrations, rigOfFile } from './testing/rig-of-file.js';

const within = { within: 20_000 };
const rig = rigOfFile(await freshDatabase(migrations));

interface StateTopic {
  readonly topic: string;
  readonly ids: readonly string[];
  /** Has parked all, and runs. */
  readonly before: Inbox;
  /** Knows the type that the one before did not. It does not run. */
  readonly after: Inbox;
  /** A later record of the key. */
  readonly send: (n: number) => Promise<void>;
}

/** Key `a` of a state topic, with these parked: of no known shape, no JSON, or records of a type that is known later. */
async function parkedState(...what: ('shapeless' | 'no JSON' | number)[]): Promise<StateTopic> {
  const { contract, topic } = await rig.newEvent('state');
  const later = eventOn(topic, 'state', 'spec.later.v1');
  const options = { name: `state-${topic}`, topics: [topic] };
  const [known, unknown] = [contract, later].map((one) => rig.counting(one, topic));
  const before = rig.inboxOf({ ...options, subscriptions: [known!] });
  const values = { shapeless: '{"key":"a"}', 'no JSON': 'quince' };
  await rig.producer.send(
    what.map((one) =>
      typeof one === 'number' ? event(later, 'a', one) : { ...event(contract, 'a', 0), value: values[one] },
    ),
  );
  await before.start();
  await eventually(async () => expect(await rig.parked(topic)).toHaveLength(what.length), within);
  const ids = (await before.parked.list('parked', { topic }, { limit: 10 })).map(({ id }) => id);
  const after = rig.inboxOf({ ...options, subscriptions: [known!, unknown!] });
  return { topic, ids, before, after, send: async (n) => void (await rig.producer.send([event(contract, 'a', n)])) };
}

describe('a replay of a record that says all', () => {
  it.each([true, false])(
    'waits behind none that holds up, and tells what it ended of what it tried (dry: %s)',
    async (dryRun) => {
      const { topic, ids, after } = await parkedState('shapeless', 2);
      const chosen = await after.parked.replay({ reason: 'unknown-type' }, true, 'an-officer');
      expect(chosen.messages).toEqual([{ id: ids[1], topic, outcome: 'handled' }]);
      expect((await after.parked.replay({ topic }, dryRun, 'an-officer')).messages).toEqual([
        { id: ids[0], topic, outcome: 'discarded', because: 'superseded' },
        { id: ids[1], topic, outcome: 'handled' },
      ]);
      expect(await rig.effects(topic, 'a')).toEqual(dryRun ? [] : [2]);
    },
  );
});

describe('what ends older messages', () => {
  it.each([
    [
      'a replay',
      ({ after, ids }: StateTopic) => after.parked.replay({ ids: [ids[2] ?? ''] }, false, 'an-officer'),
      [3],
    ],
    ['a record that comes', ({ send }: StateTopic) => send(4), [4]],
  ])('has none of them while it waits for an older one: %s', async (_, end, effects) => {
    const state = await parkedState(1, 'no JSON', 3);
    // So many that the index is used, which has them in another order.
    await rig.dataSource.query(
      `INSERT INTO parked_messages (consumer, topic, position, key_hash, holds_up, reason, sealed)
       SELECT 'another', 't', n::text, n::text, true, 'spec', '' FROM generate_series(1, 5000) AS n ON CONFLICT DO NOTHING`,
    );
    await rig.dataSource.query('ANALYZE parked_messages');
    const { ended } = await rig.dataSource.transaction(async (manager) => {
      const lock = (ids: readonly string[]) =>
        manager.query<unknown[]>(`SELECT FROM parked_messages WHERE id = ANY ($1) FOR UPDATE SKIP LOCKED`, [ids]);
      await lock(state.ids.slice(0, 1));
      const ending = { ended: end(state) };
      await eventually(async () => expect(await rig.waitingForLocks('%')).toBe(1), within);
      expect(await lock(state.ids)).toHaveLength(3);
      return ending;
    });
    await ended;
    await eventually(async () => expect(await rig.effects(state.topic, 'a')).toEqual(effects), within);
    expect((await rig.parked(state.topic)).map(({ state: now }) => now)).not.toContain('parked');
  });
});
