import type { EncodedMessage, FencedProducer, Sendable } from '@castiron/kafka';
import { eventually } from '@castiron/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Place } from './lane-cursors.js';
import { Lane } from './lane.js';
import type { Page } from './read-page.js';

const START = { settled: '1:1:', reading: '1:1:', lastId: '0', upTo: '0' };

interface Numbered extends EncodedMessage {
  readonly id: string;
}
const numbered = (id: string): Numbered => ({ topic: 't', bytes: 1, id });

/** A page of one row, after which everything up to `snapshot` is read. */
const page = (id: string, snapshot: string): Page => ({
  rows: [{ id, lane: 3, message: numbered(id) }],
  before: (settled) => ({ settled, reading: snapshot, lastId: String(Number(id) - 1), upTo: id }),
  after: () => ({ settled: snapshot, reading: snapshot, lastId: '0', upTo: id }),
});

/** A lane whose producer opens when it is told to, or fails to. */
function laneOf(): {
  lane: Lane;
  opening: ((fails?: Error) => void)[];
  sent: string[];
  sends: () => number;
  failed: Promise<void>;
} {
  const opening: ((fails?: Error) => void)[] = [];
  const sent: string[] = [];
  let sends = 0;
  const producer: FencedProducer = {
    open: () => new Promise((resolve, reject) => opening.push((fails) => (fails ? reject(fails) : resolve()))),
    send: (messages: readonly Sendable[]) => {
      sends += 1;
      sent.push(...messages.map((message) => (message as Numbered).id));
      return Promise.resolve([]);
    },
    close: () => Promise.resolve(),
  };
  let tell = (): void => undefined;
  const failed = new Promise<void>((resolve) => (tell = resolve));
  const lane = new Lane({ lane: 3, token: '1', incarnation: 'a', cursor: START }, producer, {
    isHeld: () => Promise.resolve(true),
    sent: () => undefined,
    failed: () => tell(),
  });
  return { lane, opening, sent, sends: () => sends, failed };
}

/** Rows of these topics from 1 on, those that the reading of `from` has left. */
const pageOf = (topics: readonly string[], from: Place): Page => ({
  rows: topics
    .map((topic, at) => ({ id: String(at + 1), lane: 3, message: { ...numbered(String(at + 1)), topic } }))
    .filter(({ id }) => Number(id) > Number(from.lastId)),
  before: (settled) => ({ settled, reading: '5:5:', lastId: from.lastId, upTo: String(topics.length) }),
  after: () => ({ settled: '5:5:', reading: '5:5:', lastId: '0', upTo: String(topics.length) }),
});

/** How often each message reached a topic in these rounds, where everything of a send does but what is of `refused`. */
async function writtenIn(rounds: number, topics: readonly string[], hasSentBefore = true): Promise<number[]> {
  const written = topics.map(() => 0);
  let tell = (): void => undefined;
  const producer: FencedProducer = {
    open: () => Promise.resolve(),
    send: (messages) => {
      let isRefused = false;
      for (const message of messages as readonly Numbered[]) {
        if (message.topic === 'refused') isRefused = true;
        else written[Number(message.id) - 1]! += 1;
      }
      return isRefused ? Promise.reject(new Error('not enough replicas')) : Promise.resolve([]);
    },
    close: () => Promise.resolve(),
  };
  const lane = new Lane({ lane: 3, token: '1', incarnation: 'a', cursor: START }, producer, {
    isHeld: () => Promise.resolve(true),
    sent: () => undefined,
    failed: () => tell(),
  });
  if (hasSentBefore) {
    lane.take(pageOf(['t'], lane.read), lane.read);
    await eventually(() => expect(lane.cursor).toEqual(lane.read));
    written.fill(0);
  }
  for (let round = 0; round < rounds; round += 1) {
    const failed = new Promise<void>((resolve) => (tell = resolve));
    lane.take(pageOf(topics, lane.read), lane.read);
    await failed;
  }
  await lane.end();
  return written;
}

describe('a lane whose send fails', () => {
  it('sends again from there after a pause, and takes no page that was asked for before', async () => {
    const { lane, opening, sent, failed } = laneOf();
    lane.take(page('7', '5:5:'), lane.read);
    const asked = lane.read;
    const before = performance.now();
    opening.shift()?.(new Error('the broker is away'));
    await failed;
    expect(lane.retryAt - before).toBeGreaterThanOrEqual(100);
    lane.take(page('8', '9:9:'), asked);
    expect(lane.cursor, 'nothing is sent yet').toEqual({ settled: '1:1:', reading: '5:5:', lastId: '6', upTo: '7' });
    expect(lane.read).toEqual(lane.cursor);
    expect(opening).toHaveLength(0);
    lane.take(page('7', '5:5:'), lane.read);
    lane.take(page('8', '9:9:'), lane.read);
    opening.shift()?.();
    await eventually(() => expect(sent).toEqual(['7', '8']));
    await lane.end();
  });

  it('sends what went along with what is refused a few times more, and not with each retry', async () => {
    const before = ['t', 't', 't', 't', 't', 't', 't'];
    expect(await writtenIn(10, [...before, 'refused'])).toEqual([2, 2, 2, 2, 2, 2, 2, 0]);
    expect(await writtenIn(10, [...before.slice(1), 'refused', ...before]), 'the nearest to it some more').toEqual([
      2, 2, 2, 3, 3, 3, 0, 2, 2, 2, 1, 1, 1, 1,
    ]);
    expect(await writtenIn(10, ['refused', ...before])).toEqual([0, 1, 1, 1, 1, 1, 1, 1]);
    expect(await writtenIn(10, ['refused', ...before], false), 'taken anew').toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('sends all of it at once again when the broker is back', async () => {
    const { lane, opening, sent, sends, failed } = laneOf();
    const topics = Array.from({ length: 1_000 }, () => 't');
    lane.take(pageOf(topics, lane.read), lane.read);
    opening.shift()?.(new Error('the broker is away'));
    await failed;
    lane.take(pageOf(topics, lane.read), lane.read);
    opening.shift()?.();
    await eventually(() => expect(sent).toHaveLength(topics.length));
    await lane.end();
    expect(sent).toEqual(topics.map((_, at) => String(at + 1)));
    expect(sends()).toBeLessThanOrEqual(10);
  });
});

describe('a lane that is held for long', () => {
  it('opens its producer again after a day, before the coordinator forgets it, and not with each send', async () => {
    const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
    onTestFinished(() => void clock.mockRestore());
    const { lane, opening, sent } = laneOf();
    const day = 86_400_000;
    const ids: string[] = [];
    for (const [id, at, opens] of [
      ['7', 0, 1],
      ['8', day - 1, 0],
      ['9', day, 1],
      ['10', day + 1, 0],
    ] as const) {
      clock.mockReturnValue(at);
      ids.push(id);
      lane.take(page(id, `${id}:${id}:`), lane.read);
      expect(
        opening.splice(0).map((open) => open()),
        `at ${at} ms`,
      ).toHaveLength(opens);
      await eventually(() => expect(sent).toEqual(ids));
    }
    await lane.end();
  });
});
