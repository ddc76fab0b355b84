import type { WireMessage } from '@castiron/contracts';

const TOO_LARGE = 2 * 1_048_576;
const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;

/** What anybody with the right to write can put on a topic. */
export type AnyMessage = Omit<WireMessage, 'key' | 'value' | 'headers'> & {
  readonly key: Buffer | string | null;
  readonly value: Buffer | string | null;
  readonly headers: Readonly<Record<string, string | null>>;
};

export interface Hostile {
  /** What operators are told, where the contract lets fields pass that it does not know. */
  readonly reason: string;
  /** What is different from a good message of the same topic. */
  readonly of: (good: WireMessage) => Partial<AnyMessage>;
}

/** Names that are ordinary ones where they come from, with a prototype or a function behind them here. */
export const CALLED_LIKE_OTHERS = { ['__proto__']: 'x', constructor: 'x', toString: 'x' };

const withHeaders = (headers: Readonly<Record<string, string | null>>) => (good: WireMessage) => ({
  headers: { ...good.headers, ...headers },
});
/** A good value with a field more. */
const withField = (field: string) => (good: WireMessage) => ({ value: `${good.value?.slice(0, -1)},${field}}` });

/** Messages that no handler may see, by what they are. Each is to be parked while its neighbours pass. */
export const HOSTILE: Readonly<Record<string, Hostile>> = {
  'without CloudEvents headers': { reason: 'missing-headers', of: () => ({ headers: {} }) },
  'with an id that is no UUID': { reason: 'missing-headers', of: withHeaders({ ce_id: '-'.repeat(36) }) },
  'of an unknown type': { reason: 'unknown-type', of: withHeaders({ ce_type: 'spec.unheard-of.v1' }) },
  'of a type called __proto__': { reason: 'unknown-type', of: withHeaders({ ce_type: '__proto__' }) },
  'without a key': { reason: 'missing-key', of: () => ({ key: null }) },
  'under another key than its own': { reason: 'bad-data', of: () => ({ key: '__proto__' }) },
  'without a value, on a topic of events': { reason: 'bad-data', of: () => ({ value: null }) },
  'that is no JSON': { reason: 'bad-json', of: () => ({ value: '{"key":' }) },
  'that is no text': { reason: 'bad-json', of: () => ({ value: Buffer.from([0xff, 0xfe, 0x00, 0x80]) }) },
  'that is no JSON, with headers that are called like what every object has': {
    reason: 'bad-json',
    of: (good) => ({ value: 'no JSON', ...withHeaders(CALLED_LIKE_OTHERS)(good) }),
  },
  'that is no JSON, with a header of no value': {
    reason: 'bad-json',
    of: (good) => ({ value: 'no JSON', ...withHeaders({ more: null })(good) }),
  },
  'with too many headers': {
    reason: 'oversized',
    of: withHeaders(Object.fromEntries(Array.from({ length: 50_000 }, (_, n) => [n.toString(36), '']))),
  },
  'of another shape': { reason: 'unknown-shape', of: () => ({ value: '{"key":1}' }) },
  'nested 10,000 deep': { reason: 'unknown-shape', of: () => ({ value: deep }) },
  'nested 10,000 deep in a field nobody knows': { reason: 'too-deep', of: withField(`"more":${deep}`) },
  'with a field __proto__': { reason: 'bad-data', of: withField('"__proto__":{"n":1}') },
  'with a field __proto__ written otherwise, and within': {
    reason: 'bad-data',
    of: withField('"more":[{"\\u005f_proto__":1}]'),
  },
  'larger than a topic takes, unpacked': {
    reason: 'oversized',
    of: (good) => ({ value: Buffer.concat([Buffer.from(good.value ?? ''), Buffer.alloc(TOO_LARGE, 0x20)]) }),
  },
  'with a key larger than a topic takes': { reason: 'oversized', of: () => ({ key: Buffer.alloc(TOO_LARGE, 0x61) }) },
  'with a header larger than a topic takes': {
    reason: 'oversized',
    of: withHeaders({ ce_type: 'a'.repeat(TOO_LARGE) }),
  },
};
