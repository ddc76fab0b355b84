import { randomUUID } from 'node:crypto';
import { defineTopic } from '@castiron/contracts';
import { Retryable } from '@castiron/failures';
import { createMetrics } from '@castiron/observability';
import { type Kafka } from '@castiron/kafka';
import { eventually, freshDatabase, openDatabaseValve } from '@castiron/testing';
import { outboxKey } from '@castiron/transactions';
import { DataSource } from 'typeorm';
import { describe, expect, it, onTestFinished } from 'vitest';
import { subscribe } from './index.js';
import { event, eventOn, InboxRig, upTo } from './testing/inbox.rig.js';
import { kafka, migrations, rigOfFile } from './testing/rig-of-file.js';

const within = { within: 20_000 };
const rig = rigOfFile(await freshDatabase(migrations));

/** A way to Kafka on which who asks for topics may be made to wait. */
class HeldAdmin {
  isAsked = false;
  private gate: Promise<void> | undefined;
  goOn: () => void = () => undefined;
  readonly kafka: Kafka;

  constructor(given: Kafka) {
    this.kafka = {
      ...given,
      admin: () => {
        const admin = given.admin();
        const topicNames = admin.topicNames.bind(admin);
        admin.topicNames = async () => {
          this.isAsked = this.gate !== undefined;
          await this.gate;
          return topicNames();
        };
        return admin;
      },
    };
  }

  hold(): void {
    this.gate = new Promise((resolve) => (this.goOn = resolve));
  }
}

describe('the inbox', () => {
  it('handles each event once, in order per key, however often it comes', async () => {
    const { contract, topic } = await rig.newEvent();
    const messages = upTo(250).map((n) => event(contract, n % 2 === 0 ? 'even' : 'odd', n));
    const name = `spec-${randomUUID()}`;
    await rig.producer.send([...messages, ...messages.slice(0, 50)]);
    await rig.inboxOf({ name, topics: [topic], subscriptions: [rig.counting(contract, topic)] }).start();
    await eventually(
      async () =>
        expect([...(await rig.effects(topic, 'odd')), ...(await rig.effects(topic, 'even'))]).toHaveLength(250),
      within,
    );
    await rig.producer.send([...messages, event(contract, 'odd', 251)]);
    await eventually(async () => expect((await rig.effects(topic, 'odd')).at(-1)).toBe(251), within);
    expect(await rig.effects(topic, 'odd')).toEqual(upTo(251).filter((n) => n % 2 === 1));
    expect(await rig.effects(topic, 'even')).toEqual(upTo(250).filter((n) => n % 2 === 0));
    const [published] = await rig.dataSource.query<{ n: number }[]>(
      `SELECT count(*)::int AS n FROM published WHERE key IN ('out-odd', 'out-even')`,
    );
    expect(published?.n).toBe(251);
  });

  it('loses and doubles nothing when it is stopped in the midst of a batch and starts again', async () => {
    const { contract, topic } = await rig.newEvent();
    const name = `spec-${randomUUID()}`;
    await rig.producer.send(upTo(600).map((n) => event(contract, 'k', n)));
    const slow = subscribe(contract, {
      async handle({ data, key }, tx) {
        await tx.manager.query('INSERT INTO effects (topic, key, n) VALUES ($1, $2, $3)', [
          topic,
          key,
          data?.n ?? null,
        ]);
        await tx.manager.query('SELECT pg_sleep(0.001)');
      },
    });
    for (const stopAt of [50, 200, 350]) {
      const inbox = rig.inboxOf({ name, topics: [topic], subscriptions: [slow] });
      await inbox.start();
      await eventually(async () => expect((await rig.effects(topic, 'k')).length).toBeGreaterThan(stopAt), within);
      await inbox.stop();
    }
    await rig.inboxOf({ name, topics: [topic], subscriptions: [slow] }).start();
    await eventually(async () => expect(await rig.effects(topic, 'k')).toHaveLength(600), within);
    expect(await rig.effects(topic, 'k')).toEqual(upTo(600));
  });

  it('starts, and stops, though nobody says which topics there are', async () => {
    const { contract, topic } = await rig.newEvent();
    const held = new HeldAdmin(kafka);
    held.hold();
    const options = { topics: [topic], subscriptions: [rig.counting(contract, topic)], kafka: held.kafka };
    const inbox = rig.inboxOf({ name: `spec-${randomUUID()}`, ...options });
    await inbox.start();
    await eventually(() => expect(held.isAsked).toBe(true), within);
    expect(inbox.healthy()).toBe(false);
    await inbox.stop();
    held.goOn();
  });

  it('skips nothing when it is stopped while it asks which topics there are', async () => {
    const { contract, topic } = await rig.newEvent();
    const missing = `spec.${randomUUID()}.v1`;
    const sent = upTo(1_500);
    let [calls, isSlow] = [0, true];
    const options = {
      name: `spec-${randomUUID()}`,
      topics: [topic, missing],
      subscriptions: [
        subscribe(contract, {
          async handle({ data, key }, tx) {
            calls += 1;
            const row = [topic, key, data?.n ?? null];
            await tx.manager.query('INSERT INTO effects (topic, key, n) VALUES ($1, $2, $3)', row);
            if (isSlow) await tx.manager.query('SELECT pg_sleep(0.004)');
          },
        }),
        rig.counting(eventOn(missing, 'events', 'spec.missing.v1'), missing),
      ],
    };
    await rig.producer.send(sent.map((n) => event(contract, 'k', n)));
    let atWork = 0;
    const held = new HeldAdmin({
      ...kafka,
      consumer: (given) =>
        kafka.consumer({
          ...given,
          onBatch: (batch) => {
            atWork += 1;
            return given.onBatch(batch).finally(() => (atWork -= 1));
          },
        }),
    });
    const inbox = rig.inboxOf({ ...options, kafka: held.kafka });
    await inbox.start();
    await eventually(async () => expect(await rig.effects(topic, 'k')).not.toEqual([]), within);
    held.hold();
    await eventually(() => expect(held.isAsked).toBe(true), within);
    const stopped = inbox.stop();
    // Until it has left the batch: what of it is not handled must not be taken for handled.
    await eventually(() => expect(atWork).toBe(0), within);
    expect(calls).toBeLessThan(sent.length);
    isSlow = false;
    // One more to read would have it begin anew, had it not been stopped.
    await rig.admin.createTopics([defineTopic({ name: missing, kind: 'events', partitions: 2 })]);
    held.goOn();
    await stopped;
    await rig.inboxOf(options).start();
    await eventually(async () => expect(await rig.effects(topic, 'k')).toHaveLength(sent.length), within);
    expect(await rig.effects(topic, 'k')).toEqual(sent);
  });

  it('handles events whose handler claims their keys as many at once as others', async () => {
    const { contract, topic } = await rig.newEvent();
    const counting = rig.counting(contract, topic);
    let calls = 0;
    const claiming = subscribe(contract, {
      async handle(received, tx) {
        calls += 1;
        // Only known once it was looked for.
        const [row] = await tx.manager.query<[{ key: string }]>('SELECT $1 AS key', [`out-${received.key}`]);
        tx.claim([outboxKey(topic, row.key)]);
        await counting.handle([received], tx);
      },
    });
    const keys = upTo(100).map((n) => `k${n}`);
    await rig.producer.send(keys.map((key, n) => event(contract, key, n)));
    await rig.inboxOf({ topics: [topic], subscriptions: [claiming] }).start();
    await eventually(async () => {
      const [all] = await rig.dataSource.query<[{ n: number }]>(
        'SELECT count(*)::int AS n FROM effects WHERE topic = $1',
        [topic],
      );
      expect(all.n).toBe(100);
    }, within);
    expect(calls).toBe(2 * 100);
  });

  it('says that it is at work after each call of a handler, however many one transaction has', async () => {
    const { contract, topic } = await rig.newEvent();
    let [beats, beatsBefore] = [0, 0];
    const beating: Kafka = {
      ...kafka,
      consumer: (options) =>
        kafka.consumer({
          ...options,
          onBatch: (batch) => {
            beatsBefore = beats;
            const heartbeat = (): Promise<void> => {
              beats += 1;
              return batch.heartbeat();
            };
            return options.onBatch({ ...batch, heartbeat });
          },
        }),
    };
    const heard: number[] = [];
    const counting = rig.counting(contract, topic, () => void heard.push(beats - beatsBefore));
    await rig.producer.send(upTo(30).map((n) => event(contract, 'k', n)));
    await rig.inboxOf({ topics: [topic], subscriptions: [counting], kafka: beating }).start();
    await eventually(async () => expect(await rig.effects(topic, 'k')).toEqual(upTo(30)), within);
    expect(heard).toEqual(upTo(30));
  });

  it('takes less at once where the database gives up on all of it', async () => {
    const { contract, topic } = await rig.newEvent();
    const sizes: number[] = [];
    const slow = subscribe(contract, {
      handle: () => expect.unreachable('it takes them together'),
      async handleBatch(events, tx) {
        sizes.push(events.length);
        await tx.manager.query(`SET LOCAL statement_timeout = 400`);
        await tx.manager.query('SELECT pg_sleep($1)', [events.length * 0.1]);
        for (const { key, data } of events)
          await tx.manager.query('INSERT INTO effects (topic, key, n) VALUES ($1, $2, $3)', [topic, key, data?.n ?? 0]);
      },
    });
    await rig.producer.send(upTo(16).map((n) => event(contract, 'k', n)));
    await rig.inboxOf({ topics: [topic], subscriptions: [slow] }).start();
    await eventually(async () => expect(await rig.effects(topic, 'k')).toEqual(upTo(16)), within);
    // At once: each further cut would take as long again.
    expect([await rig.reasons(topic), sizes.filter((size) => size > 1)]).toEqual([[], [16]]);
  });

  it('parks what the database gives up each time, and goes on', async () => {
    const { contract, topic } = await rig.newEvent();
    let alone = 0;
    const slow = subscribe(contract, {
      handle: () => expect.unreachable('it takes them together'),
      async handleBatch(events, tx) {
        const neverFits = events.some(({ data }) => data?.n === 3);
        if (neverFits && events.length === 1) alone += 1;
        await tx.manager.query(`SET LOCAL statement_timeout = 200`);
        if (neverFits) await tx.manager.query('SELECT pg_sleep(5)');
        for (const { key, data } of events)
          await tx.manager.query('INSERT INTO effects (topic, key, n) VALUES ($1, $2, $3)', [topic, key, data?.n ?? 0]);
      },
    });
    await rig.producer.send([1, 2, 3, 4, 5].map((n) => event(contract, n < 4 ? 'a' : 'b', n)));
    const inbox = rig.inboxOf({ topics: [topic], subscriptions: [slow] });
    await inbox.start();
    await eventually(async () => expect(await rig.reasons(topic)).toEqual(['takes-too-long']), within);
    await rig.producer.send([event(contract, 'b', 6), event(contract, 'a', 7)]);
    await eventually(async () => expect(await rig.effects(topic, 'b')).toEqual([4, 5, 6]), within);
    await eventually(async () => expect(await rig.reasons(topic)).toEqual(['takes-too-long', 'behind-parked']), within);
    expect([await rig.effects(topic, 'a'), alone]).toEqual([[1, 2], 4]);
  });

  it('waits for a lock for as long as somebody has it, and parks nothing for it', async () => {
    const own = new InboxRig(await freshDatabase(migrations), kafka);
    onTestFinished(() => own.close());
    onTestFinished(() => own.stopInboxes());
    await own.dataSource.query(`INSERT INTO effects (topic) VALUES ('locked')`);
    // Those opened from here on.
    const [here] = await own.dataSource.query<[{ name: string }]>('SELECT current_database() AS name');
    await own.dataSource.query(`ALTER DATABASE ${here.name} SET statement_timeout = 450`);
    await own.dataSource.destroy();
    await own.dataSource.initialize();
    const { contract, topic } = await own.newEvent();
    let tries = 0;
    const waits = subscribe(contract, {
      async handle({ key, data }, tx) {
        tries += 1;
        await tx.manager.query(`UPDATE effects SET n = 0 WHERE topic = 'locked'`);
        await tx.manager.query('INSERT INTO effects (topic, key, n) VALUES ($1, $2, $3)', [topic, key, data?.n ?? 0]);
      },
    });
    await own.dataSource.transaction(async (manager) => {
      await manager.query(`SELECT FROM effects WHERE topic = 'locked' FOR UPDATE`);
      await own.producer.send([event(contract, 'a', 1)]);
      await own.inboxOf({ topics: [topic], subscriptions: [waits] }).start();
      await eventually(() => expect(tries).toBeGreaterThan(4), within);
    });
    await eventually(async () => expect(await own.effects(topic, 'a')).toEqual([1]), within);
    expect([await own.reasons(topic), own.crashes]).toEqual([[], []]);
  });

  it('parks nothing where its database goes away under a handler each time', async () => {
    const valve = await openDatabaseValve((rig.dataSource.options as { url: string }).url);
    const through = new InboxRig(
      await new DataSource({
        type: 'postgres',
        url: valve.url,
        poolErrorHandler: () => undefined,
      }).initialize(),
      kafka,
    );
    onTestFinished(async () => {
      valve.state = 'open';
      await through.stopInboxes();
      await through.close();
      await valve.close();
    });
    const { contract, topic } = await through.newEvent();
    let tries = 0;
    const cut = subscribe(contract, {
      async handle({ key, data }, tx) {
        tries += 1;
        if (tries <= 4) valve.state = 'cut';
        try {
          const row = [topic, key, data?.n ?? 0];
          await tx.manager.query('INSERT INTO effects (topic, key, n) VALUES ($1, $2, $3)', row);
        } finally {
          valve.state = 'open';
        }
      },
    });
    await through.producer.send([event(contract, 'a', 1)]);
    await through.inboxOf({ topics: [topic], subscriptions: [cut] }).start();
    await eventually(async () => expect(await rig.effects(topic, 'a')).toEqual([1]), within);
    expect([await rig.reasons(topic), tries, through.crashes]).toEqual([[], 5, []]);
  });

  it('waits for what may pass, longer each time, and parks nothing for it', async () => {
    const { contract, topic } = await rig.newEvent();
    let failures = 0;
    const tried: number[] = [];
    const subscriptions = [
      rig.counting(contract, topic, (n) => {
        if (n === 2) tried.push(performance.now());
        if (n === 2 && failures < 5) {
          failures += 1;
          throw new Retryable('not yet');
        }
      }),
    ];
    await rig.producer.send([1, 2, 3].map((n) => event(contract, 'a', n)));
    await rig.inboxOf({ topics: [topic], subscriptions }).start();
    await eventually(async () => expect(await rig.effects(topic, 'a')).toEqual([1, 2, 3]), within);
    expect([failures, await rig.reasons(topic)]).toEqual([5, []]);
    const pauses = tried.slice(1).map((at, n) => at - (tried[n] ?? at));
    // A timer may be a little early.
    for (const [n, pause] of pauses.entries()) expect(pause).toBeGreaterThan(100 * 2 ** n - 5);
  });

  it('begins again behind what is done already', async () => {
    const { contract, topic } = await rig.newEvent();
    const metrics = createMetrics('spec');
    let isFirst = true;
    const subscriptions = [
      rig.counting(contract, topic, (n) => {
        if (n !== 550 || !isFirst) return;
        isFirst = false;
        throw new Retryable('not yet');
      }),
    ];
    // More than one transaction takes.
    await rig.producer.send(upTo(600).map((n) => event(contract, 'a', n)));
    await rig.inboxOf({ topics: [topic], subscriptions, metrics }).start();
    await eventually(async () => expect(await rig.effects(topic, 'a')).toEqual(upTo(600)), within);
    const takenIn = () => metrics.registry.getSingleMetricAsString('castiron_inbox_messages_total');
    await eventually(async () => expect(await takenIn()).toMatch(/ 600$/));
    expect(isFirst).toBe(false);
  });

  it('survives that its database connections are cut', async () => {
    const { contract, topic } = await rig.newEvent();
    await rig.inboxOf({ topics: [topic], subscriptions: [rig.counting(contract, topic)] }).start();
    for (const n of upTo(5)) {
      await rig.producer.send(upTo(20).map((m) => event(contract, 'k', (n - 1) * 20 + m)));
      await rig.dataSource
        .query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
        )
        .catch(() => undefined);
    }
    await eventually(async () => expect(await rig.effects(topic, 'k').catch(() => [])).toEqual(upTo(100)), within);
    expect(await rig.reasons(topic)).toEqual([]);
  });

  it('hands a run of events over at once where the handler takes batches', async () => {
    const { contract, topic } = await rig.newEvent();
    const runs: number[][] = [];
    const batch = subscribe(contract, {
      handle: () => Promise.reject(new Error('not used')),
      handleBatch(events) {
        runs.push(events.map(({ data }) => data?.n ?? 0));
        return Promise.resolve();
      },
    });
    await rig.producer.send(upTo(10).map((n) => event(contract, 'a', n)));
    await rig.inboxOf({ topics: [topic], subscriptions: [batch] }).start();
    await eventually(() => expect(runs.flat()).toEqual(upTo(10)), within);
    expect(runs.length).toBeLessThan(10);
  });
});
