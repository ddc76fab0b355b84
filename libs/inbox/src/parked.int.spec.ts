import { replies, withdrawalConfirmed } from '@castiron/contracts';
import { Poison } from '@castiron/failures';
import { createMetrics } from '@castiron/observability';
import { eventually, uniqueSlug, freshDatabase } from '@castiron/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { subscribe, type Inbox } from './index.js';
import { event, eventOn, replyOf } from './testing/inbox.rig.js';
import { migrations, rigOfFile } from './testing/rig-of-file.js';

const within = { within: 20_000 };
const mark = 'a-mark-that-nobody-may-see';
const rig = rigOfFile(await freshDatabase(migrations));

describe('parked messages', () => {
  it('are grouped by cause, and shown without key, value and foreign headers', async () => {
    const { topic } = await rig.newEvent();
    const contract = eventOn(topic, 'events', 'spec.personal.v1', true);
    const inbox = rig.inboxOf({
      topics: [topic],
      subscriptions: [
        rig.counting(contract, topic, () => {
          throw new Poison('of-no-use');
        }),
      ],
    });
    const good = event(contract, mark, 7);
    await rig.producer.send([
      good,
      event(contract, mark, 8),
      { ...good, value: mark, headers: { ...good.headers, [mark]: mark, ce_correlationid: mark, ce_time: mark } },
    ]);
    await inbox.start();
    await eventually(async () => expect(await rig.reasons(topic)).toHaveLength(3), within);
    expect(await inbox.parked.causes()).toMatchObject([
      { topic, type: contract.type, reason: 'behind-parked', messages: 1 },
      { topic, type: contract.type, reason: 'of-no-use', messages: 1 },
      { topic, type: null, reason: 'missing-headers', messages: 1 },
    ]);
    const rows = await inbox.parked.list('parked', {}, { limit: 10 });
    const shown = await Promise.all(rows.map(({ id }) => inbox.parked.show(id, 'an-officer')));
    expect(JSON.stringify([rows, shown])).not.toContain(mark);
    const byReason = (reason: string) => shown.find((message) => message?.reason === reason);
    expect(byReason('of-no-use')).toMatchObject({
      content: { key: { bytes: mark.length, kind: 'text' }, value: { kind: 'json' }, fields: { n: 7 } },
      actions: [{ action: 'shown', actor: 'an-officer' }],
    });
    expect(byReason('missing-headers')).toMatchObject({
      content: { value: { bytes: mark.length, kind: 'text' }, problem: 'no CloudEvents 1.0 headers' },
    });
  });

  it('are given up with a reason, and their record is only ever added to', async () => {
    const { contract, topic } = await rig.newEvent();
    const inbox = rig.inboxOf({ topics: [topic], subscriptions: [rig.counting(contract, topic)] });
    await rig.producer.send([{ ...event(contract, 'a', 1), value: 'no JSON' }]);
    await inbox.start();
    await eventually(async () => expect(await rig.reasons(topic)).toEqual(['bad-json']), within);
    const discard = (dryRun: boolean) => inbox.parked.discard({ topic }, dryRun, 'it was a test', 'an-officer');
    const [id] = (await inbox.parked.list('parked', { topic }, { limit: 10 })).map((row) => row.id);
    expect(await discard(true)).toEqual({ dryRun: true, ids: [id] });
    expect(await rig.parked(topic)).toMatchObject([{ state: 'parked', sealed: expect.anything() as unknown }]);
    expect(await discard(false)).toEqual({ dryRun: false, ids: [id] });
    expect(await discard(false)).toEqual({ dryRun: false, ids: [] });
    expect(await rig.parked(topic)).toMatchObject([{ state: 'discarded', ended: 'given-up', sealed: null }]);
    expect(await inbox.parked.actions(undefined, { limit: 10 })).toMatchObject([
      { message: null, action: 'dry-run', actor: 'an-officer', reason: 'would be: 1 given up' },
      { message: id, action: 'discarded', actor: 'an-officer', reason: 'it was a test' },
    ]);
    for (const change of [
      `UPDATE parked_actions SET actor = 'x'`,
      'DELETE FROM parked_actions',
      'TRUNCATE parked_actions',
    ])
      await expect(rig.dataSource.query(change)).rejects.toThrow(/only ever added/);
  });

  it('are given up in slices, however many they are, each with a record of who did it', async () => {
    const { contract, topic } = await rig.newEvent();
    const name = `many-${topic}`;
    const inbox = rig.inboxOf({ name, topics: [topic], subscriptions: [rig.counting(contract, topic)] });
    await rig.dataSource.query(
      `INSERT INTO parked_messages (consumer, topic, position, key_hash, holds_up, reason, sealed)
       SELECT $1, $2, n::text, n::text, true, CASE WHEN n % 2 = 0 THEN 'of-no-use' ELSE 'bad-json' END, ''
       FROM generate_series(1, 4200) AS n`,
      [name, topic],
    );
    const query = vi.spyOn(rig.dataSource, 'query');
    onTestFinished(() => query.mockRestore());
    const { ids } = await inbox.parked.discard({ reason: 'of-no-use' }, false, 'it was a test', 'an-officer');
    expect(query.mock.calls.filter(([text]) => text.includes('UPDATE parked_messages'))).toHaveLength(3);
    expect(new Set(ids).size).toBe(2_100);
    const recorded = await rig.dataSource.query<{ id: string }[]>(
      `SELECT message AS id FROM parked_actions a JOIN parked_messages p ON p.id = message
       WHERE a.consumer = $1 AND actor = 'an-officer' AND a.reason = 'it was a test' AND state = 'discarded' ORDER BY a.id`,
      [name],
    );
    expect(recorded.map(({ id }) => id)).toEqual(ids);
  });

  it('say where more was done with them than is shown', async () => {
    const { contract, topic } = await rig.newEvent();
    const name = `acts-${topic}`;
    const inbox = rig.inboxOf({ name, topics: [topic], subscriptions: [rig.counting(contract, topic)] });
    const [{ id } = { id: '' }] = await rig.dataSource.query<{ id: string }[]>(
      `INSERT INTO parked_messages (consumer, topic, position, key_hash, holds_up, reason, sealed)
       VALUES ($1, $2, '0/0@0', 'a', true, 'bad-json', '') RETURNING id`,
      [name, topic],
    );
    await rig.dataSource.query(
      `INSERT INTO parked_actions (consumer, message, action, actor)
       SELECT $1, $2, 'shown', 'an-officer' FROM generate_series(1, 99)`,
      [name, id],
    );
    const shown = await inbox.parked.show(id, 'an-officer');
    expect([shown?.actions.length, shown?.moreActions]).toEqual([100, false]);
    const again = await inbox.parked.show(id, 'an-officer');
    expect([again?.actions.length, again?.moreActions]).toEqual([100, true]);
    expect(await inbox.parked.actions(id, { after: again?.actions[99]?.id ?? '', limit: 10 })).toMatchObject([
      { action: 'shown' },
    ]);
  });

  it('end after 30 days, recorded, with an alarm at half that time', async () => {
    const { contract, topic } = await rig.newEvent();
    const name = `old-${topic}`;
    const metrics = createMetrics('spec');
    const options = { name, metrics, topics: [topic], subscriptions: [rig.counting(contract, topic)] };
    const first: Inbox = rig.inboxOf(options);
    const bad = { ...event(contract, 'a', 1), value: 'no JSON' };
    await rig.producer.send([bad, bad, bad]);
    await first.start();
    await eventually(async () => expect(await rig.reasons(topic)).toHaveLength(3), within);
    await first.stop();
    const [expired, halfway] = await rig.dataSource.query<{ id: string }[]>(
      'SELECT id FROM parked_messages WHERE topic = $1 ORDER BY id',
      [topic],
    );
    for (const [row, days] of [
      [expired, 31],
      [halfway, 16],
    ] as const) {
      await rig.dataSource.query(
        `UPDATE parked_messages SET parked_at = now() - $2::int * interval '1 day' WHERE id = $1`,
        [row?.id, days],
      );
    }
    const second = rig.inboxOf(options);
    await second.start();
    expect(await rig.parked(topic)).toMatchObject([
      { state: 'discarded', ended: 'expired', sealed: null },
      { state: 'parked' },
      { state: 'parked' },
    ]);
    expect(await second.parked.actions(expired?.id, { limit: 10 })).toMatchObject([
      { action: 'discarded', actor: 'inbox', reason: 'expired' },
    ]);
    const exposed = await metrics.registry.metrics();
    expect(exposed).toMatch(/castiron_inbox_parked\{reason="bad-json",service="spec"\} 2/);
    expect(exposed).toMatch(/castiron_inbox_parked_oldest_seconds\{[^}]*\} 138\d{4}/);
    expect(exposed).toMatch(/castiron_inbox_parked_half_time\{[^}]*\} 1/);
  });

  it('of a recipient that sends without end are counted, no longer kept', async () => {
    const slug = uniqueSlug();
    const { name: topic } = replies.of(slug);
    await rig.admin.createTopics([replies.of(slug)]);
    const inbox = rig.inboxOf({
      topics: [topic],
      subscriptions: [subscribe(withdrawalConfirmed, { handle: () => Promise.resolve() })],
      mostOfARecipient: { messages: 5 },
    });
    await rig.producer.send(Array.from({ length: 40 }, () => ({ ...replyOf(slug), value: 'no JSON' })));
    await inbox.start();
    await eventually(async () => {
      const [row] = await rig.dataSource.query<object[]>(
        `SELECT count(*) FILTER (WHERE state = 'parked')::int AS parked,
           sum(messages) FILTER (WHERE ended_reason = 'too-many')::int AS counted
         FROM parked_messages WHERE topic = $1`,
        [topic],
      );
      expect(row).toEqual({ parked: 5, counted: 35 });
    }, within);
  });
});
