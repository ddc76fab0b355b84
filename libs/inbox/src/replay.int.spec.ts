import { NoRoom, Poison } from '@castiron/failures';
import { eventually, freshDatabase } from '@castiron/testing';
import { EntityManager } from 'typeorm';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { subscribe, type Inbox, type Replay, type Selection } from './index.js';
import { parkedKeys } from './parked-messages.js';
import { event, eventOn, fromTheStart, specSeal, upTo, type Counted } from './testing/inbox.rig.js';
import { kafka, migrations, rigOfFile } from './testing/rig-of-file.js';

const within = { within: 20_000 };
const rig = rigOfFile(await freshDatabase(migrations));

interface Jammed {
  readonly contract: Counted;
  readonly topic: string;
  readonly inbox: Inbox;
  /** From here on nothing is poisonous. */
  mend(): void;
}

/** An inbox whose key `a` stands still at its first message, with `behind` more behind it. */
async function jammed(behind: number, before: (n: number) => Promise<void> = () => Promise.resolve()): Promise<Jammed> {
  const { contract, topic } = await rig.newEvent();
  let poisonous = true;
  // It publishes nothing: no outbox key keeps two of its transactions apart.
  const keeping = subscribe(contract, {
    async handle({ data, key }, tx) {
      const n = data?.n ?? 0;
      await before(n);
      if (n === 1 && poisonous) throw new Poison('of-no-use');
      await tx.manager.query('INSERT INTO effects (topic, key, n) VALUES ($1, $2, $3)', [topic, key, n]);
    },
  });
  const inbox = rig.inboxOf({ topics: [topic], subscriptions: [keeping] });
  await rig.producer.send(upTo(behind + 1).map((n) => event(contract, 'a', n)));
  await inbox.start();
  await eventually(async () => expect(await rig.reasons(topic)).toHaveLength(behind + 1), within);
  return { contract, topic, inbox, mend: () => (poisonous = false) };
}

/** A replay of 522 messages of a key took 500 of them: one, and what waits behind it. */
async function unfinished() {
  const jam = await jammed(1);
  jam.mend();
  // Copies of one event, of which a replay discards all but the first.
  await rig.dataSource.query(
    `INSERT INTO parked_messages (consumer, topic, position, key_hash, holds_up, event_id, type, reason, sealed)
     SELECT consumer, topic, n::text, key_hash, holds_up, event_id, type, reason, sealed
     FROM parked_messages, generate_series(1, 520) AS n WHERE topic = $1 AND reason = 'behind-parked'`,
    [jam.topic],
  );
  const replay = (selection: Selection, after?: string): Promise<Replay> =>
    jam.inbox.parked.replay(selection, false, 'an-officer', after);
  const { messages, more, after } = await replay({ reason: 'of-no-use' });
  expect([messages.length, more]).toEqual([500, true]);
  return { jam, after, replay };
}

const idsOf = async ({ inbox, topic }: Jammed): Promise<string[]> =>
  (await inbox.parked.list('parked', { topic }, { limit: 100 })).map(({ id }) => id);
const actionsOf = async (inbox: Inbox, message?: string) =>
  (await inbox.parked.actions(message, { limit: 100 })).map(({ action, actor, reason }) => [action, actor, reason]);

describe('a replay', () => {
  it('that is dry says what would be, and changes nothing but the record', async () => {
    const jam = await jammed(2);
    expect(await rig.replay(jam.inbox, {}, true)).toEqual({ 'still-parked': 3 });
    jam.mend();
    expect(await rig.replay(jam.inbox, {}, true)).toEqual({ handled: 3 });
    expect([await rig.effects(jam.topic, 'a'), await rig.reasons(jam.topic)]).toEqual([
      [],
      ['of-no-use', 'behind-parked', 'behind-parked'],
    ]);
    expect(await actionsOf(jam.inbox)).toEqual([
      ['dry-run', 'an-officer', 'would be: 0 handled, 0 discarded, 3 still parked'],
      ['dry-run', 'an-officer', 'would be: 3 handled, 0 discarded, 0 still parked'],
    ]);
  });

  it('takes along what waits behind, and goes nowhere behind what it was not told to take', async () => {
    const jam = await jammed(2);
    jam.mend();
    const [first = '', second = ''] = await idsOf(jam);
    expect((await jam.inbox.parked.replay({ ids: [second] }, false, 'an-officer')).messages).toMatchObject([
      { id: second, outcome: 'still-parked', because: 'behind-parked' },
      { outcome: 'still-parked', because: 'behind-parked' },
    ]);
    expect(await rig.replay(jam.inbox, { reason: 'of-no-use' })).toEqual({ handled: 3 });
    expect(await rig.effects(jam.topic, 'a')).toEqual([1, 2, 3]);
    expect(await actionsOf(jam.inbox, first)).toEqual([['replayed', 'an-officer', null]]);
    expect(await actionsOf(jam.inbox, second)).toEqual([
      ['replay-failed', 'an-officer', 'behind-parked'],
      ['replayed', 'an-officer', null],
    ]);
  });

  it('that is broken off by what may pass is in the record all the same, dry or not', async () => {
    let isFull = false;
    const jam = await jammed(1, (n) => (isFull && n === 2 ? Promise.reject(new NoRoom('full')) : Promise.resolve()));
    jam.mend();
    isFull = true;
    const [, second = ''] = await idsOf(jam);
    await expect(rig.replay(jam.inbox, {}, true)).rejects.toThrow(NoRoom);
    await expect(rig.replay(jam.inbox)).rejects.toThrow(NoRoom);
    expect(await rig.effects(jam.topic, 'a')).toEqual([1]);
    expect(await actionsOf(jam.inbox)).toEqual([
      ['dry-run', 'an-officer', 'broken off: outbox-full'],
      ['replayed', 'an-officer', null],
      ['replay-failed', 'an-officer', 'outbox-full'],
    ]);
    expect(await actionsOf(jam.inbox, second)).toHaveLength(1);
    isFull = false;
    expect(await rig.replay(jam.inbox)).toEqual({ handled: 1 });
  });

  it('goes on where the handler of one message takes too long', async () => {
    const { contract, topic } = await rig.newEvent();
    let poisonous = true;
    const slowOnA = subscribe(contract, {
      async handle({ key }, tx) {
        if (poisonous) throw new Poison('of-no-use');
        if (key !== 'a') return;
        await tx.manager.query('SET LOCAL statement_timeout = 100');
        await tx.manager.query('SELECT pg_sleep(10)');
      },
    });
    const inbox = rig.inboxOf({ topics: [topic], subscriptions: [slowOnA] });
    await rig.producer.send(['a', 'b'].map((key) => event(contract, key, 1)));
    await inbox.start();
    await eventually(async () => expect(await rig.reasons(topic)).toHaveLength(2), within);
    poisonous = false;
    for (const dryRun of [true, false])
      expect(await rig.replay(inbox, {}, dryRun)).toEqual({ 'still-parked': 1, handled: 1 });
    expect(await actionsOf(inbox)).toContainEqual(['replay-failed', 'an-officer', 'takes-too-long']);
  });

  it('is safe twice, one after the other and at once', async () => {
    const jam = await jammed(9);
    jam.mend();
    await Promise.all([rig.replay(jam.inbox), rig.replay(jam.inbox), rig.replay(jam.inbox)]);
    expect(await rig.replay(jam.inbox)).toEqual({});
    expect(await rig.effects(jam.topic, 'a')).toEqual(upTo(10));
  });

  it('says nothing of a message that ends meanwhile', async () => {
    let [gate, isInside, open] = [Promise.resolve(), false, (): void => undefined];
    const jam = await jammed(2, (n) => {
      isInside = n === 1;
      return gate;
    });
    jam.mend();
    const [, second = ''] = await idsOf(jam);
    [gate, isInside] = [new Promise<void>((resolve) => (open = resolve)), false];
    const replaying = rig.replay(jam.inbox);
    await eventually(() => expect(isInside).toBe(true), within);
    await jam.inbox.parked.discard({ ids: [second] }, false, 'a test', 'another-officer');
    open();
    expect(await replaying).toEqual({ handled: 2 });
    expect(await rig.effects(jam.topic, 'a')).toEqual([1, 3]);
    expect(await actionsOf(jam.inbox, second)).toEqual([['discarded', 'another-officer', 'a test']]);
  });

  it.each([
    ['waits for the last message of the key', 3, 1, ['behind-parked']],
    ['is parked behind messages to come', 2, 0, ['behind-parked', 'behind-parked', 'behind-parked', 'behind-parked']],
  ])('keeps the order with what comes meanwhile and %s', async (_, gated, waiting, reasons) => {
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const jam = await jammed(2, (n) => (n === gated ? gate : Promise.resolve()));
    jam.mend();
    const replaying = rig.replay(jam.inbox);
    await eventually(async () => expect(await rig.effects(jam.topic, 'a')).toEqual(upTo(gated - 1)), within);
    await rig.producer.send([event(jam.contract, 'a', 4), event(jam.contract, 'a', 5)]);
    await eventually(async () => {
      expect(await rig.waitingForLocks('%FOR SHARE%')).toBe(waiting);
      const parked = (await rig.parked(jam.topic)).filter(({ state }) => state === 'parked');
      expect(parked.map(({ reason }) => reason)).toEqual(reasons);
    }, within);
    open();
    await replaying;
    await eventually(async () => expect(await rig.effects(jam.topic, 'a')).toEqual(upTo(5)), within);
    await rig.producer.send([event(jam.contract, 'a', 6)]);
    await eventually(async () => expect(await rig.effects(jam.topic, 'a')).toEqual(upTo(6)), within);
  });

  it('is kept out by one lock a key, however much is parked of it: the last that holds up', async () => {
    await rig.dataSource.query(
      `INSERT INTO parked_messages (consumer, topic, position, key_hash, holds_up, reason, sealed)
       SELECT 'locks', 't', n::text, $1, n <= 90, 'spec', '' FROM generate_series(1, 100) AS n`,
      [specSeal.hash('a')],
    );
    await rig.dataSource.transaction(async (manager) => {
      expect(await parkedKeys(manager, 'locks', 't', ['a', 'b'], specSeal)).toEqual(new Map([['a', true]]));
      const free = await rig.dataSource.query<{ position: string }[]>(
        `SELECT position FROM parked_messages WHERE consumer = 'locks' ORDER BY id FOR UPDATE SKIP LOCKED`,
      );
      expect(free.map(({ position }) => Number(position))).toEqual(upTo(100).filter((n) => n !== 90));
    });
  });

  it('comes to every key and every message in turn, also where all that came before fails again', async () => {
    const jam = await jammed(0);
    const [stuck] = await idsOf(jam);
    await rig.dataSource.query(
      `INSERT INTO parked_messages (consumer, topic, position, key_hash, holds_up, reason, sealed)
       SELECT consumer, topic, n::text, CASE WHEN n <= 600 THEN n::text ELSE 'many' END, false, 'of-no-use', ''
       FROM parked_messages, generate_series(1, 1700) AS n WHERE topic = $1`,
      [jam.topic],
    );
    const seen: string[] = [];
    let page: Replay | undefined;
    for (let calls = 0; page?.more !== false && calls < 10; calls += 1) {
      page = await jam.inbox.parked.replay({ reason: 'of-no-use' }, false, 'an-officer', page?.after);
      seen.push(...page.messages.map(({ id }) => id));
    }
    expect(seen).toHaveLength(1_701);
    expect([new Set(seen).size, seen[0]]).toEqual([1_701, stuck]);
    await rig.dataSource.query(`DELETE FROM parked_messages WHERE topic = $1`, [jam.topic]);
  }, 60_000);

  it('comes to the end of a key that it left unfinished, also where all that was selected of it is handled', async () => {
    const { jam, after, replay } = await unfinished();
    const second = await replay({ reason: 'of-no-use' }, after);
    expect([second.messages.length, second.more]).toEqual([22, false]);
    expect(await idsOf(jam)).toEqual([]);
    expect(await rig.effects(jam.topic, 'a')).toEqual([1, 2]);
  });

  it('says that it cannot go on where the message at which it stopped has ended, not that nothing is left', async () => {
    const { jam, after, replay } = await unfinished();
    const stopped = after.split('-').slice(1);
    await jam.inbox.parked.discard({ ids: stopped }, false, 'of no use', 'an-officer');
    const refusal = { kind: 'conflict', code: 'cannot-go-on' };
    await expect(replay({ reason: 'of-no-use' }, after)).rejects.toMatchObject({ refusal });
    expect((await replay({ topic: jam.topic })).messages).toHaveLength(21);
  });

  it('finds an event among many that are parked by its id', async () => {
    const jam = await jammed(0);
    await rig.dataSource.query(
      `INSERT INTO parked_messages (consumer, topic, position, key_hash, holds_up, event_id, reason, sealed)
       SELECT consumer, topic, n::text, n::text, true, gen_random_uuid(), 'spec', sealed
       FROM parked_messages, generate_series(1, 5000) AS n WHERE topic = $1`,
      [jam.topic],
    );
    await rig.dataSource.query('ANALYZE parked_messages');
    const query = vi.spyOn(EntityManager.prototype, 'query');
    onTestFinished(() => query.mockRestore());
    jam.mend();
    await rig.replay(jam.inbox, { reason: 'of-no-use' });
    const [text = '', parameters] = query.mock.calls.find(([asked]) => asked.includes('AS waits')) ?? [];
    const plan = await rig.dataSource.query<object[]>(`EXPLAIN ${text}`, parameters as unknown[]);
    expect(JSON.stringify(plan)).toMatch(/parked_messages_by_event/);
    await rig.dataSource.query(`DELETE FROM parked_messages WHERE topic = $1`, [jam.topic]);
  });

  it('records of what was too large to be kept that it was tried, where it was', async () => {
    const jam = await jammed(0);
    await rig.dataSource.query('UPDATE parked_messages SET truncated = true WHERE topic = $1', [jam.topic]);
    expect(await rig.replay(jam.inbox, {}, true)).toEqual({ 'still-parked': 1 });
    expect(await rig.replay(jam.inbox)).toEqual({ 'still-parked': 1 });
    const [id] = await idsOf(jam);
    expect(await actionsOf(jam.inbox, id)).toEqual([['replay-failed', 'an-officer', 'too-large-to-replay']]);
  });

  it('discards what became illegitimate, with that reason', async () => {
    const { contract, topic } = await rig.newEvent();
    let parking = true;
    const counting = rig.counting(contract, topic, () => {
      if (parking) throw new Poison('of-no-use');
    });
    const illegitimate = ({ data }: { data: { n: number } | null }) =>
      Promise.resolve(data?.n === 1 ? 'permission-revoked' : undefined);
    const withHook = subscribe(contract, { handle: () => Promise.resolve(), illegitimate });
    const inbox = rig.inboxOf({
      topics: [topic],
      subscriptions: [{ ...counting, illegitimate: (received, tx) => withHook.illegitimate(received, tx) }],
    });
    await rig.producer.send([event(contract, 'a', 1), event(contract, 'a', 2)]);
    await inbox.start();
    await eventually(async () => expect(await rig.reasons(topic)).toHaveLength(2), within);
    parking = false;
    expect(await rig.replay(inbox, {}, true)).toEqual({ discarded: 1, handled: 1 });
    expect(await rig.replay(inbox)).toEqual({ discarded: 1, handled: 1 });
    expect(await rig.effects(topic, 'a')).toEqual([2]);
    expect(await rig.parked(topic)).toMatchObject([
      { state: 'discarded', ended: 'permission-revoked', sealed: null },
      {},
    ]);
    expect(await actionsOf(inbox)).toContainEqual(['discarded', 'an-officer', 'permission-revoked']);
  });

  it('handles an event once that was parked twice before its type was known', async () => {
    const { contract, topic } = await rig.newEvent();
    const later = eventOn(topic, 'events', 'spec.later.v1');
    const name = `knows-later-${topic}`;
    const before = rig.inboxOf({ name, topics: [topic], subscriptions: [rig.counting(contract, topic)] });
    const twice = event(later, 'a', 1);
    await rig.producer.send([twice, twice]);
    await before.start();
    await eventually(async () => expect(await rig.reasons(topic)).toEqual(['unknown-type', 'unknown-type']), within);
    await before.stop();
    const subscriptions = [rig.counting(contract, topic), rig.counting(later, topic)];
    const after = rig.inboxOf({ name, topics: [topic], subscriptions });
    expect(await rig.replay(after)).toEqual({ handled: 1, discarded: 1 });
    expect(await rig.effects(topic, 'a')).toEqual([1]);
  });

  it('handles an event that was parked before its type was known, and is read once more since it is', async () => {
    const { contract, topic } = await rig.newEvent();
    const later = eventOn(topic, 'events', 'spec.later.v1');
    const name = `reads-again-${topic}`;
    const before = rig.inboxOf({ name, topics: [topic], subscriptions: [rig.counting(contract, topic)] });
    await rig.producer.send([event(later, 'a', 1)]);
    await before.start();
    await eventually(async () => expect(await rig.reasons(topic)).toEqual(['unknown-type']), within);
    await before.stop();
    const subscriptions = [rig.counting(contract, topic), rig.counting(later, topic)];
    const after = rig.inboxOf({ name, topics: [topic], subscriptions, kafka: fromTheStart(kafka) });
    await after.start();
    await rig.producer.send([event(contract, 'a', 2)]);
    await eventually(async () => expect(await rig.reasons(topic)).toEqual(['unknown-type', 'behind-parked']), within);
    expect(await rig.replay(after)).toEqual({ handled: 2 });
    expect(await rig.effects(topic, 'a')).toEqual([1, 2]);
  });

  it('handles an event once that a consumer has in work, come again since its type is known', async () => {
    const { contract, topic } = await rig.newEvent();
    const later = eventOn(topic, 'events', 'spec.later.v1');
    const name = `meets-${topic}`;
    const before = rig.inboxOf({ name, topics: [topic], subscriptions: [rig.counting(contract, topic)] });
    await rig.producer.send([event(later, 'a', 1)]);
    await before.start();
    await eventually(async () => expect(await rig.reasons(topic)).toEqual(['unknown-type']), within);
    await before.stop();
    let [begun, open] = [0, (): void => undefined];
    const gate = new Promise<void>((resolve) => (open = resolve));
    // It publishes nothing and waits behind nothing, so no other lock keeps the two apart.
    const keeping = subscribe(later, {
      overtakes: true,
      async handle({ data, key }, tx) {
        begun += 1;
        await gate;
        await tx.manager.query('INSERT INTO effects (topic, key, n) VALUES ($1, $2, $3)', [topic, key, data?.n]);
      },
    });
    const subscriptions = [rig.counting(contract, topic), keeping];
    const after = rig.inboxOf({ name, topics: [topic], subscriptions, kafka: fromTheStart(kafka) });
    await after.start();
    await eventually(() => expect(begun).toBe(1), within);
    const replaying = rig.replay(after);
    await eventually(async () => expect(await rig.waitingForLocks('INSERT INTO inbox%')).toBe(1), within);
    open();
    expect(await replaying).toEqual({ discarded: 1 });
    expect(await rig.effects(topic, 'a')).toEqual([1]);
  });

  it('sets no key of a state topic back: what is older than the record it handles is done with', async () => {
    const { contract, topic } = await rig.newEvent('state');
    const later = eventOn(topic, 'state', 'spec.later.v1');
    const name = `knows-later-${topic}`;
    let poisonous = true;
    const keeping = rig.counting(contract, topic, () => {
      if (poisonous) throw new Poison('of-no-use');
    });
    const before = rig.inboxOf({ name, topics: [topic], subscriptions: [keeping] });
    await rig.producer.send([event(contract, 'a', 1), event(later, 'a', 2)]);
    await before.start();
    await eventually(async () => expect(await rig.reasons(topic)).toEqual(['of-no-use', 'unknown-type']), within);
    await before.stop();
    poisonous = false;
    const after = rig.inboxOf({ name, topics: [topic], subscriptions: [keeping, rig.counting(later, topic)] });
    expect(await rig.replay(after, { reason: 'unknown-type' })).toEqual({ handled: 1 });
    expect(await rig.replay(after, { reason: 'of-no-use' })).toEqual({});
    expect(await rig.effects(topic, 'a')).toEqual([2]);
    expect(await rig.parked(topic)).toMatchObject([{ state: 'discarded', ended: 'superseded', sealed: null }, {}]);
  });
});
