import { randomUUID } from 'node:crypto';
import { NoRoom } from '@castiron/failures';
import { connect } from '@castiron/kafka';
import { createMetrics } from '@castiron/observability';
import { eventually, freshDatabase } from '@castiron/testing';
import { outboxKey, Transactions } from '@castiron/transactions';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { inboxMigrations, subscribe } from './index.js';
import { event, eventOn, InboxRig, KeepWhatHappened1795392000902 } from './testing/inbox.rig.js';

let rig: InboxRig;
beforeAll(async () => {
  const principal = inject('stack').kafka.principals['admin'];
  if (principal === undefined) throw new Error('the stack has no admin');
  const kafka = connect({ brokers: [inject('stack').kafka.bootstrap], clientId: 'spec', ...principal });
  rig = new InboxRig(await freshDatabase([...inboxMigrations, KeepWhatHappened1795392000902]), kafka);
});
afterAll(async () => {
  await rig.stopInboxes();
  await rig.close();
});

describe('while the outbox is full', () => {
  it('what adds waits with its key, is not parked, and comes in order once there is room; the rest goes on', async () => {
    const { contract, topic } = await rig.newEvent();
    const { topic: cancellations } = await rig.newEvent();
    const cancelled = eventOn(cancellations, 'events', 'spec.cancelled.v1');
    let isFull = true;
    const published: string[] = [];
    const transactions = new Transactions(
      rig.dataSource,
      {
        append: (events) => {
          if (isFull && events.some(({ reserved }) => reserved !== true)) throw new NoRoom('full');
          published.push(...events.map(({ message }) => message.key));
          return { name: 'nothing', text: 'SELECT' };
        },
        wake: () => undefined,
      },
      { contract, cancelled },
    );
    const note = (to: string, key: string, n: number | null | undefined) => [to, key, n ?? null];
    const insert = 'INSERT INTO effects (topic, key, n) VALUES ($1, $2, $3)';
    const metrics = createMetrics('spec');
    const inbox = rig.inboxOf({
      metrics,
      topics: [topic, cancellations],
      transactions,
      subscriptions: [
        subscribe(contract, {
          keys: ({ key }) => [outboxKey(topic, `out-${key}`)],
          async handle({ data, key }, tx) {
            await tx.manager.query(insert, note(topic, key, data?.n));
            // Odd ones publish nothing.
            if ((data?.n ?? 0) % 2 === 0) tx.publish(contract, { key: `out-${key}`, n: data?.n ?? 0 });
          },
        }),
        subscribe(cancelled, {
          keys: ({ key }) => [outboxKey(cancellations, `out-${key}`)],
          async handle({ data, key }, tx) {
            await tx.manager.query(insert, note(cancellations, key, data?.n));
            tx.publish(cancelled, { key: `out-${key}`, n: data?.n ?? 0 }, { reserved: true });
          },
        }),
      ],
    });
    await inbox.start();
    const adds = randomUUID();
    // So many that some stand between those that wait, in their partition.
    const others = Array.from({ length: 10 }, () => randomUUID());
    await rig.producer.send([
      ...[0, 1, 2, 3].map((n) => event(contract, adds, n)),
      // Some of them come again with those that wait, each time.
      ...others.map((key) => ({ ...event(contract, key, 0), value: 'no JSON' })),
      ...[1, 3, 5].flatMap((n) => others.map((key) => event(contract, key, n))),
      ...[1, 2].map((n) => event(cancelled, adds, n)),
    ]);
    const within = { within: 20_000 };
    const handled = async (numbers: number[]) => {
      for (const key of others) expect(await rig.effects(topic, key)).toEqual(numbers);
    };
    await eventually(() => handled([1, 3, 5]), within);
    await eventually(async () => expect(await rig.effects(cancellations, adds)).toEqual([1, 2]));
    expect(await rig.effects(topic, adds)).toEqual([]);
    // Also what is not there yet while it waits, in each partition.
    await rig.producer.send([...others.map((key) => event(contract, key, 7)), event(cancelled, adds, 3)]);
    await eventually(() => handled([1, 3, 5, 7]), within);
    await eventually(async () => expect(await rig.effects(cancellations, adds)).toEqual([1, 2, 3]), within);
    expect(await rig.effects(topic, adds)).toEqual([]);
    isFull = false;
    await eventually(async () => expect(await rig.effects(topic, adds)).toEqual([0, 1, 2, 3]), within);
    expect(await rig.reasons(topic)).toEqual(others.map(() => 'bad-json'));
    expect(await metrics.registry.getSingleMetricAsString('castiron_inbox_parked_total')).toMatch(/ 10$/);
    expect(published.filter((key) => key === `out-${adds}`)).toHaveLength(2 + 3);
    expect(rig.crashes).toEqual([]);
  }, 60_000);
});
