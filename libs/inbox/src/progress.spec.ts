import { NoRoom } from '@castiron/failures';
import { describe, expect, it } from 'vitest';
import type { Item } from './item.js';
import { Progress } from './progress.js';

const itemOf = (keyHash: string): Item => ({
  raw: { topic: 't', key: null, value: null },
  position: keyHash,
  keyHash,
  bytes: 0,
  content: { kind: 'broken', reason: 'missing-key', detail: '' },
});
const [a, b, c] = [itemOf('a'), itemOf('b'), itemOf('c')];

describe('of a batch in which one message waits for room', () => {
  it('done is what stands before it, whatever is handled behind it', () => {
    const progress = new Progress();
    progress.pass([a], true);
    progress.wait(b, new NoRoom('full'));
    progress.pass([c], true);
    expect(progress.done).toBe(a);
  });

  it('nothing is left for later before anything of it is new: it would be done again and again, and nothing else', () => {
    const progress = new Progress();
    progress.wait(a, new NoRoom('full'));
    progress.pass([b], false);
    expect(progress.isAny).toBe(false);
    progress.pass([c], true);
    expect(progress.isAny).toBe(true);
    expect(progress.done).toBeUndefined();
  });
});
