import { describe, expect, it } from 'vitest';
import {
  ATTRIBUTE_NAMES,
  ATTRIBUTES,
  bytesOf,
  encodeEvent,
  FETCH_BYTES,
  feedRecord,
  MAX_BODY_BYTES,
  MAX_EVENT_BYTES,
  MAX_MESSAGE_BYTES,
  newEventId,
  PARTITION_FETCH_BYTES,
  profileChanged,
  PURPOSE_NAMES,
  TOPICS,
  topicsOfRecipient,
} from './index.js';

/** The largest body that is one JSON string of this piece, over and over. */
const largestBody = (piece: string): string => {
  const room = MAX_BODY_BYTES - '{"text":""}'.length;
  return `{"text":"${piece.repeat(Math.floor(room / Buffer.byteLength(piece)))}"}`;
};
/** AES-GCM's nonce and tag, with the form's number, as base64. */
const sealed = (text: string): string => Buffer.concat([Buffer.alloc(32), Buffer.from(text)]).toString('base64');
const meta = () => ({ id: newEventId(), time: new Date(), sequence: '9'.repeat(19), correlationId: 'c'.repeat(128) });

describe('sizes', () => {
  it('grow from body to event, message, and fetch, so that nothing is taken that cannot go on', () => {
    const way = [MAX_BODY_BYTES, MAX_EVENT_BYTES, MAX_MESSAGE_BYTES, PARTITION_FETCH_BYTES, FETCH_BYTES];
    expect(way).toEqual([...new Set(way)].sort((a, b) => a - b));
  });

  it('are those of every topic', () => {
    const { feed, duties, replies } = topicsOfRecipient('northern-hosting');
    for (const { config } of [...TOPICS, feed, duties, replies])
      expect(config['max.message.bytes']).toBe(String(MAX_MESSAGE_BYTES));
  });

  it.each([
    ['letters', 'x'],
    ['letters of three bytes', '漢'],
    ['letters of four bytes', '𐍈'],
    ['line breaks', String.raw`\n`],
    ['quotes', String.raw`\"`],
    ['escaped control characters', String.raw`\u0001`],
    ['escaped halves of letters', String.raw`\ud800`],
    ['escaped letters that need none', String.raw`\u6f22`],
  ])('leave room for the largest body of %s, written out, sealed, or sealed twice', (_name, piece) => {
    const body = largestBody(piece);
    expect(Buffer.byteLength(body)).toBeGreaterThan(MAX_BODY_BYTES - 8);
    const { text } = JSON.parse(body) as { text: string };
    for (const value of [text, sealed(text), sealed(JSON.stringify({ sealed: sealed(text) }))]) {
      const message = { topic: 't', key: 'k'.repeat(200), value: JSON.stringify({ value }), headers: {} };
      expect(bytesOf(message) + 8_192).toBeLessThan(MAX_EVENT_BYTES);
    }
  });

  it('leave room for all that may be known of a customer', () => {
    const largest = ATTRIBUTE_NAMES.map((name) => [name, '漢'.repeat(ATTRIBUTES[name].maxLength)] as const);
    const purposes = PURPOSE_NAMES.map((purpose) => ({ purpose, ground: 'permission' as const }));
    const opening = 'o'.repeat(43);
    const record = encodeEvent(
      feedRecord,
      {
        ...feedRecord.example,
        attributes: Object.fromEntries(largest.map(([name, value]) => [name, { value, purposes, opening }])),
      },
      meta(),
      'x'.repeat(39),
    );
    const profile = encodeEvent(
      profileChanged,
      {
        ...profileChanged.example,
        attributes: Object.fromEntries(
          largest.map(([name, value]) => [name, { version: 2 ** 31 - 1, sealed: sealed(value) }]),
        ),
      },
      meta(),
    );
    for (const message of [record, profile]) expect(bytesOf(message)).toBeLessThan(MAX_EVENT_BYTES);
  });
});
