import { createHash } from 'node:crypto';
import {
  defineEvent,
  encodeEvent,
  encodeTombstone,
  newEventId,
  replies,
  withdrawalConfirmed,
} from '@castiron/contracts';
import { Poison, Retryable } from '@castiron/failures';
import { createLogger, createMetrics, type Metrics } from '@castiron/observability';
import { eventually, uniqueSlug, freshDatabase } from '@castiron/testing';
import { Type } from 'typebox';
import { describe, expect, it, vi } from 'vitest';
import { subscribe } from './index.js';
import { event, eventOn, fromTheStart, specSeal, replyOf, upTo } from './testing/inbox.rig.js';
import { kafka, migrations, rigOfFile } from './testing/rig-of-file.js';

const within = { within: 20_000 };
const rig = rigOfFile(await freshDatabase(migrations));

const takenIn = async (metrics: Metrics, n: number): Promise<void> => {
  const counted = await metrics.registry.getSingleMetricAsString('castiron_inbox_messages_total');
  expect(counted).toMatch(new RegExp(` ${n}$`));
};

const mark = 'a-mark-that-must-not-be-readable';

describe('what cannot be handled', () => {
  it('parks a poisonous event and what follows it under its key, and nothing else', async () => {
    const { contract, topic } = await rig.newEvent();
    let poisonous = true;
    const inbox = rig.inboxOf({
      topics: [topic],
      subscriptions: [
        rig.counting(contract, topic, (n) => {
          if (n === 2 && poisonous) throw new Poison('of-no-use');
          if (n === 12 && poisonous) throw new TypeError('a bug');
        }),
      ],
    });
    await rig.producer.send([
      ...[1, 2, 3].map((n) => event(contract, 'a', n)),
      ...[11, 12, 13].map((n) => event(contract, 'b', n)),
      ...[21, 22].map((n) => event(contract, 'c', n)),
    ]);
    await inbox.start();
    await eventually(async () => {
      expect(await rig.effects(topic, 'a')).toEqual([1]);
      expect(await rig.effects(topic, 'b')).toEqual([11]);
      expect(await rig.effects(topic, 'c')).toEqual([21, 22]);
      expect((await rig.reasons(topic)).sort()).toEqual([
        'behind-parked',
        'behind-parked',
        'keeps-failing',
        'of-no-use',
      ]);
    }, within);
    await rig.producer.send([event(contract, 'a', 4), event(contract, 'c', 23)]);
    await eventually(async () => expect(await rig.effects(topic, 'c')).toEqual([21, 22, 23]), within);
    await eventually(async () => expect(await rig.reasons(topic)).toHaveLength(5), within);
    expect(await rig.effects(topic, 'a')).toEqual([1]);

    expect(await rig.replay(inbox)).toEqual({ 'still-parked': 5 });
    poisonous = false;
    expect(await rig.replay(inbox)).toEqual({ handled: 5 });
    expect(await rig.effects(topic, 'a')).toEqual([1, 2, 3, 4]);
    expect(await rig.effects(topic, 'b')).toEqual([11, 12, 13]);
    await rig.producer.send([event(contract, 'a', 5)]);
    await eventually(async () => expect(await rig.effects(topic, 'a')).toEqual([1, 2, 3, 4, 5]), within);
  });

  it('costs a batch few transactions, and what it was among nothing', async () => {
    const { contract, topic } = await rig.newEvent();
    let runs = 0;
    const inBatches = subscribe(contract, {
      handle: () => Promise.reject(new Error('not used')),
      async handleBatch(events, tx) {
        runs += 1;
        if (events.some(({ data }) => data?.n === 200)) throw new Poison('of-no-use');
        for (const { key, data } of events)
          await tx.manager.query('INSERT INTO effects (topic, key, n) VALUES ($1, $2, $3)', [topic, key, data?.n]);
      },
    });
    await rig.producer.send(upTo(300).map((n) => event(contract, n === 200 ? 'b' : 'a', n)));
    await rig.inboxOf({ topics: [topic], subscriptions: [inBatches] }).start();
    await eventually(async () => expect(await rig.effects(topic, 'a')).toHaveLength(299), within);
    expect(await rig.effects(topic, 'a')).toEqual(upTo(300).filter((n) => n !== 200));
    await eventually(async () => expect(await rig.reasons(topic)).toEqual(['of-no-use']), within);
    expect(runs).toBeLessThan(30);
  });

  it('lets what must not wait overtake', async () => {
    const { contract, topic } = await rig.newEvent();
    const urgent = eventOn(topic, 'events', 'spec.urgent.v1');
    const seen: number[] = [];
    const subscriptions = [
      rig.counting(contract, topic, () => {
        throw new Poison('of-no-use');
      }),
      subscribe(urgent, {
        overtakes: true,
        handle({ data }) {
          seen.push(data?.n ?? 0);
          return Promise.resolve();
        },
      }),
    ];
    await rig.producer.send([event(contract, 'a', 1), event(urgent, 'a', 2)]);
    await rig.inboxOf({ topics: [topic], subscriptions }).start();
    await eventually(() => expect(seen).toContain(2), within);
  });

  it('takes a later record of a state topic for all before it', async () => {
    const { contract, topic } = await rig.newEvent('state');
    const subscriptions = [
      rig.counting(contract, topic, (n) => {
        if (n === 1) throw new Poison('of-no-use');
      }),
    ];
    await rig.producer.send([event(contract, 'a', 1)]);
    const inbox = rig.inboxOf({ topics: [topic], subscriptions });
    await inbox.start();
    await eventually(async () => expect(await rig.reasons(topic)).toEqual(['of-no-use']), within);
    await rig.producer.send([
      event(contract, 'a', 2),
      encodeTombstone(contract, 'a', { id: newEventId(), time: new Date() }),
    ]);
    await eventually(async () => expect(await rig.effects(topic, 'a')).toEqual([2, null]), within);
    expect(await rig.parked(topic)).toMatchObject([{ state: 'discarded', ended: 'superseded', sealed: null }]);
    const actions = await inbox.parked.actions(undefined, { limit: 10 });
    expect(actions).toMatchObject([{ action: 'discarded', actor: 'inbox', reason: 'superseded' }]);
  });

  it.each([
    ['a record', 2],
    ['a deletion', null],
  ])('takes %s of a state topic for all before it also where that is parked itself', async (_, last) => {
    const { contract, topic } = await rig.newEvent('state');
    let poisonous = true;
    const subscriptions = [
      rig.counting(contract, topic, (n) => {
        if (poisonous) throw new Poison(n === 1 ? 'of-no-use' : 'of-no-use-either');
      }),
    ];
    const options = { name: `superseding-${topic}`, topics: [topic], subscriptions };
    await rig.producer.send([event(contract, 'a', 1)]);
    await rig.inboxOf(options).start();
    await eventually(async () => expect(await rig.reasons(topic)).toEqual(['of-no-use']), within);
    const meta = { id: newEventId(), time: new Date() };
    await rig.producer.send([last === null ? encodeTombstone(contract, 'a', meta) : event(contract, 'a', last)]);
    const rows = [
      { reason: 'of-no-use', state: 'discarded', ended: 'superseded', sealed: null },
      { reason: 'of-no-use-either', state: 'parked' },
    ];
    await eventually(async () => expect(await rig.parked(topic)).toMatchObject(rows), within);

    await rig.stopInboxes();
    const metrics = createMetrics('spec');
    const again = rig.inboxOf({ ...options, metrics, kafka: fromTheStart(kafka) });
    await again.start();
    await eventually(() => takenIn(metrics, 2), within);
    expect(await rig.parked(topic)).toMatchObject(rows);
    poisonous = false;
    expect(await rig.replay(again, { reason: 'of-no-use' })).toEqual({});
    expect(await rig.replay(again)).toEqual({ handled: 1 });
    expect(await rig.effects(topic, 'a')).toEqual([last]);
  });

  it('keeps the last record of a state topic where none could be read before, and all still fail', async () => {
    const { contract, topic } = await rig.newEvent('state');
    const later = eventOn(topic, 'state', 'spec.later.v1');
    const options = { name: `reads-more-later-${topic}`, topics: [topic] };
    await rig.producer.send([event(later, 'a', 1), event(later, 'a', 2)]);
    await rig.inboxOf({ ...options, subscriptions: [rig.counting(contract, topic)] }).start();
    await eventually(async () => expect(await rig.reasons(topic)).toEqual(['unknown-type', 'unknown-type']), within);
    await rig.stopInboxes();
    let poisonous = true;
    const fails = rig.counting(later, topic, () => {
      if (poisonous) throw new Poison('of-no-use');
    });
    const subscriptions = [rig.counting(contract, topic), fails];
    const metrics = createMetrics('spec');
    const after = rig.inboxOf({ ...options, subscriptions, metrics, kafka: fromTheStart(kafka) });
    await after.start();
    await eventually(() => takenIn(metrics, 2), within);
    expect(await rig.parked(topic)).toMatchObject([{ state: 'discarded', ended: 'superseded' }, { state: 'parked' }]);
    poisonous = false;
    expect(await rig.replay(after)).toEqual({ handled: 1 });
    expect(await rig.effects(topic, 'a')).toEqual([2]);
  });

  it.each([
    ['stays parked', [], { handled: 1 }, [1, 2]],
    ['goes with what came after it', [3], {}, [1, 3]],
  ])('%s where a record before it is read only now', async (_, more, replayed, effects) => {
    const { contract, topic } = await rig.newEvent('state');
    const later = eventOn(topic, 'state', 'spec.later.v1');
    let poisonous = true;
    const subscriptions = [
      rig.counting(contract, topic, (n) => {
        if (n === 2 && poisonous) throw new Poison('of-no-use');
      }),
    ];
    const options = { name: `reads-first-later-${topic}`, topics: [topic] };
    await rig.producer.send([event(later, 'a', 1), event(contract, 'a', 2)]);
    await rig.inboxOf({ ...options, subscriptions }).start();
    await eventually(async () => expect(await rig.reasons(topic)).toEqual(['unknown-type', 'of-no-use']), within);
    await rig.stopInboxes();
    await rig.producer.send(more.map((n) => event(contract, 'a', n)));
    subscriptions.push(rig.counting(later, topic));
    const metrics = createMetrics('spec');
    const after = rig.inboxOf({ ...options, subscriptions, metrics, kafka: fromTheStart(kafka) });
    await after.start();
    await eventually(() => takenIn(metrics, 2 + more.length), within);
    poisonous = false;
    expect(await rig.replay(after)).toEqual(replayed);
    expect(await rig.effects(topic, 'a')).toEqual(effects);
  });

  it('waits for its type to be known, and so does what follows under its key', async () => {
    const { contract, topic } = await rig.newEvent();
    const later = eventOn(topic, 'events', 'spec.later.v1');
    const name = 'spec-knows-more-later';
    const before = rig.inboxOf({ name, topics: [topic], subscriptions: [rig.counting(contract, topic)] });
    await rig.producer.send([event(later, 'a', 1), event(contract, 'a', 2)]);
    await before.start();
    await eventually(async () => expect(await rig.reasons(topic)).toEqual(['unknown-type', 'behind-parked']), within);
    expect(await rig.replay(before)).toEqual({ 'still-parked': 2 });
    await before.stop();
    const subscriptions = [rig.counting(contract, topic), rig.counting(later, topic)];
    const after = rig.inboxOf({ name, topics: [topic], subscriptions });
    expect(await rig.replay(after)).toEqual({ handled: 2 });
    expect(await rig.effects(topic, 'a')).toEqual([1, 2]);
  });

  it('waits for its shape to be known, and so does what follows under its key', async () => {
    const { contract, topic } = await rig.newEvent();
    const wider = defineEvent({
      ...contract,
      schema: Type.Object({ key: Type.String(), n: Type.Union([Type.Integer(), Type.Null()]) }),
      key: (data) => data.key,
      example: { key: 'a', n: null },
    });
    const name = 'spec-knows-another-shape-later';
    const before = rig.inboxOf({ name, topics: [topic], subscriptions: [rig.counting(contract, topic)] });
    await rig.producer.send([
      encodeEvent(wider, { key: 'a', n: null }, { id: newEventId(), time: new Date() }),
      event(contract, 'a', 2),
    ]);
    await before.start();
    await eventually(async () => expect(await rig.reasons(topic)).toEqual(['unknown-shape', 'behind-parked']), within);
    await before.stop();
    const insert = 'INSERT INTO effects (topic, key, n) VALUES ($1, $2, $3)';
    const counting = subscribe(wider, {
      handle: ({ key, data }, tx) => tx.manager.query(insert, [topic, key, data?.n ?? null]),
    });
    const after = rig.inboxOf({ name, topics: [topic], subscriptions: [counting] });
    expect(await rig.replay(after)).toEqual({ handled: 2 });
    expect(await rig.effects(topic, 'a')).toEqual([null, 2]);
  });

  it.each(['unknown-type', 'unknown-shape'])(
    'holds up nothing where it comes again after it was given up (%s)',
    async (reason) => {
      const { contract, topic } = await rig.newEvent();
      const later = eventOn(topic, 'events', 'spec.later.v1');
      const subscriptions = [rig.counting(contract, topic)];
      const name = `given-up-${topic}`;
      const inbox = rig.inboxOf({ name, topics: [topic], subscriptions });
      const broken =
        reason === 'unknown-type' ? event(later, 'a', 1) : { ...event(contract, 'a', 1), value: '{"key":"a"}' };
      await rig.producer.send([broken]);
      await inbox.start();
      await eventually(async () => expect(await rig.reasons(topic)).toEqual([reason]), within);
      await inbox.parked.discard({ topic }, false, 'of no use', 'an-officer');
      await rig.stopInboxes();
      await rig.producer.send([event(contract, 'a', 2), event(contract, 'a', 3)]);
      await rig.inboxOf({ name, topics: [topic], subscriptions, kafka: fromTheStart(kafka) }).start();
      await eventually(async () => expect(await rig.effects(topic, 'a')).toEqual([2, 3]), within);
      expect(await rig.parked(topic)).toMatchObject([{ reason, state: 'discarded' }]);
    },
  );

  it('holds up nothing where only its number is kept', async () => {
    const slug = uniqueSlug();
    const { name: topic } = replies.of(slug);
    await rig.admin.createTopics([replies.of(slug)]);
    const handle = vi.fn(() => Promise.resolve());
    const counting = subscribe(withdrawalConfirmed, { handle });
    const unknown = replyOf(slug);
    await rig.producer.send([
      { ...unknown, headers: { ...unknown.headers, ce_type: 'spec.unheard-of.v1' } },
      replyOf(slug),
      replyOf(slug),
    ]);
    await rig.inboxOf({ topics: [topic], subscriptions: [counting], mostOfARecipient: { messages: 0 } }).start();
    await eventually(async () => {
      expect(handle).toHaveBeenCalledTimes(2);
      expect(await rig.parked(topic)).toMatchObject([{ reason: 'unknown-type', ended: 'too-many' }]);
    }, within);
  });

  it('is said to be parked, and counted, once and when it is', async () => {
    const { contract, topic } = await rig.newEvent();
    const [logger, metrics] = [createLogger('spec', 'silent'), createMetrics('spec')];
    const said = vi.spyOn(logger, 'error');
    let isAway = true;
    const seal = (bytes: Buffer): Buffer => {
      if (!isAway) return specSeal.seal(bytes);
      isAway = false;
      throw new Retryable('away');
    };
    const poisonous = subscribe(contract, { handle: () => Promise.reject(new Poison('of-no-use')) });
    await rig.producer.send([event(contract, 'a', 1)]);
    const inbox = rig.inboxOf({
      topics: [topic],
      subscriptions: [poisonous],
      logger,
      metrics,
      seal: { ...specSeal, seal },
    });
    await inbox.start();
    await eventually(() => expect(said).toHaveBeenCalled(), within);
    expect(said.mock.calls).toMatchObject([[{ reason: 'of-no-use', topic }, 'a message is parked']]);
    expect(await rig.reasons(topic)).toEqual(['of-no-use']);
    for (const name of ['castiron_inbox_messages_total', 'castiron_inbox_parked_total'])
      expect(await metrics.registry.getSingleMetricAsString(name)).toMatch(/ 1$/);
  });

  it('keeps what is no event sealed', async () => {
    const { contract, topic } = await rig.newEvent();
    const good = event(contract, 'a', 1);
    await rig.producer.send([
      { ...good, value: `{"${mark}` },
      { ...good, key: `${mark}\u0000` },
      { ...good, headers: { ...good.headers, ce_id: mark } },
    ]);
    await rig.inboxOf({ topics: [topic], subscriptions: [rig.counting(contract, topic)] }).start();
    await eventually(async () => expect(await rig.reasons(topic)).toHaveLength(3), within);
    for (const { sealed } of await rig.parked(topic)) expect(sealed?.includes(mark)).toBe(false);
  });

  it('keeps no hash of a key that can be tried, and the order behind one that a former version kept', async () => {
    const { contract, topic } = await rig.newEvent();
    let poisonous = true;
    const subscriptions = [
      rig.counting(contract, topic, (n) => {
        if (n === 1 && poisonous) throw new Poison('of-no-use');
      }),
    ];
    const inbox = rig.inboxOf({ topics: [topic], subscriptions });
    await rig.producer.send([event(contract, 'a', 1), event(contract, 'a', 2)]);
    await inbox.start();
    await eventually(async () => expect(await rig.reasons(topic)).toEqual(['of-no-use', 'behind-parked']), within);
    const plain = createHash('sha256').update('a').digest('base64url');
    const hashes = async () => {
      const rows = await rig.dataSource.query<{ hash: string }[]>(
        'SELECT DISTINCT key_hash AS hash FROM parked_messages WHERE topic = $1',
        [topic],
      );
      return rows.map(({ hash }) => hash);
    };
    expect(await hashes()).toEqual([specSeal.hash(plain)]);

    await rig.dataSource.query('UPDATE parked_messages SET key_hash = $2 WHERE topic = $1', [topic, plain]);
    await rig.producer.send([event(contract, 'a', 3)]);
    await eventually(async () => expect(await rig.reasons(topic)).toHaveLength(3), within);
    expect(await hashes()).toEqual([specSeal.hash(plain)]);
    poisonous = false;
    expect(await rig.replay(inbox, { reason: 'of-no-use' })).toEqual({ handled: 3 });
    expect(await rig.effects(topic, 'a')).toEqual([1, 2, 3]);
  });

  it('is never dropped where it cannot be parked: it is tried again, or ends the consumer and comes again', async () => {
    const { contract, topic } = await rig.newEvent();
    const name = `cannot-park-${topic}`;
    const failing: Error[] = [new Retryable('not now'), new Retryable('not now')];
    const seal = {
      ...specSeal,
      seal: (bytes: Buffer) => {
        const error = failing.pop();
        if (error !== undefined) throw error;
        return bytes;
      },
      open: (bytes: Buffer) => bytes,
    };
    const options = { name, seal, topics: [topic], subscriptions: [rig.counting(contract, topic)] };
    const bad = { ...event(contract, 'a', 1), value: 'no JSON' };
    await rig.producer.send([bad]);
    await rig.inboxOf(options).start();
    await eventually(async () => expect(await rig.reasons(topic)).toEqual(['bad-json']), within);

    failing.push(...Array.from({ length: 10 }, () => new Error('a bug')));
    await rig.producer.send([bad]);
    await eventually(() => expect(rig.crashes).toHaveLength(1), within);
    rig.crashes.length = 0;
    failing.length = 0;
    await rig.stopInboxes();
    await rig.inboxOf(options).start();
    await eventually(async () => expect(await rig.reasons(topic)).toEqual(['bad-json', 'bad-json']), within);
  });
});
