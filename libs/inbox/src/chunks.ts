import { FETCH_BYTES } from '@castiron/contracts';
import type { Item } from './item.js';

/** Of one transaction: messages, their bytes (a handler may write them all at once), and keys, with room for further claims. */
const CHUNK = 500;
const CHUNK_KEYS = 128;

/** @returns undefined where it cannot tell them: whoever handles it meets the same */
export function keysOf(item: Item): readonly string[] | undefined {
  try {
    return item.content.kind === 'event' ? item.content.subscription.keys(item.content.event) : [];
  } catch {
    return undefined;
  }
}

/**
 * Cuts a batch into transactions, its order kept. Of the items no more are asked for than a chunk needs, and one of the next:
 * each is many times its bytes, and those of a chunk that is done can go.
 */
export function* chunksOf(items: Iterable<Item>): Generator<readonly Item[]> {
  let [chunk, bytes, keys] = [[] as Item[], 0, new Set<string>()];
  for (const item of items) {
    const own = keysOf(item) ?? [];
    const isFull = chunk.length === CHUNK || bytes + item.bytes > FETCH_BYTES || keys.size + own.length > CHUNK_KEYS;
    if (isFull && chunk.length > 0) {
      yield chunk;
      [chunk, bytes, keys] = [[], 0, new Set()];
    }
    chunk.push(item);
    bytes += item.bytes;
    for (const key of own) keys.add(key);
  }
  if (chunk.length > 0) yield chunk;
}
