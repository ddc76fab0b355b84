import type { EncodedMessage, FencedProducer, Sendable } from '@castiron/kafka';
import { eventually } from '@castiron/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
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
function laneOf(): { lane: Lane; opening: ((fails?: Error) => void)[]; sent: string[]; failed: Promise<void> } {
  const opening: ((fails?: Error) => void)[] = [];
  const sent: string[] = [];
  const producer: FencedProducer = {
    open: () => new Promise((resolve, reject) => opening.push((fails) => (fails ? reject(fails) : resolve()))),
    send: (messages: readonly Sendable[]) =>
      Promise.resolve(void sent.push(...messages.map((message) => (message as Numbered).id))),
    close: () => Promise.resolve(),
  };
  let tell = (): void => undefined;
  const failed = new Promise<void>((resolve) => (tell = resolve));
  const lane = new Lane({ lane: 3, token: '1', incarnation: 'a', cursor: START }, producer, {
    isHeld: () => Promise.resolve(true),
    sent: () => undefined,
    failed: () => tell(),
  });
  return { lane, opening, sent, failed };
}

describe('a lane whose send fails', () => {
  it('sends again from there, and takes no page that was asked for before', async () => {
    const { lane, opening, sent, failed } = laneOf();
    lane.take(page('7', '5:5:'), lane.read);
    const asked = lane.read;
    opening.shift()?.(new Error('the broker is away'));
    await failed;
    lane.take(page('8', '9:9:'), asked);
    expect(lane.cursor, 'nothing is sent yet').toEqual({ settled: '1:1:', reading: '5:5:', lastId: '6', upTo: '7' });
    expect(lane.read).toEqual(lane.cursor);
    expect(opening).toHaveLength(0);
    lane.take(page('7', '5:5:'), lane.read);
    lane.take(page('8', '9:9:'), lane.read);
    opening.shift()?.();
    await lane.end();
    expect(sent).toEqual(['7', '8']);
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
