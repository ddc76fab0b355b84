import type { TopicPartitionOffset } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Commits } from './commits.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function recorded(commit: () => Promise<void> = () => Promise.resolve()) {
  const requests: string[][] = [];
  const commits = new Commits((offsets: TopicPartitionOffset[]) => {
    requests.push(offsets.map(({ topic, partition, offset }) => `${topic}/${partition}@${offset}`));
    return commit();
  });
  return { commits, requests };
}

describe('commits of what was handled', () => {
  it('go out at once where there was none for long, and together where there was', async () => {
    const { commits, requests } = recorded();
    commits.note('t', 0, 1n);
    await vi.advanceTimersByTimeAsync(1);
    expect(requests).toEqual([['t/0@1']]);
    commits.note('t', 0, 2n);
    commits.note('t', 1, 5n);
    commits.note('t', 0, 3n);
    await vi.advanceTimersByTimeAsync(50);
    expect(requests).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(100);
    expect(requests.slice(1)).toEqual([['t/0@3', 't/1@5']]);
  });

  it('go out at once when they are asked for, and are not said twice', async () => {
    const { commits, requests } = recorded();
    commits.note('t', 0, 1n);
    await commits.flush();
    await commits.flush();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(requests).toEqual([['t/0@1']]);
  });

  it("are not said of partitions that may be another member's", async () => {
    const { commits, requests } = recorded();
    commits.note('t', 0, 1n);
    commits.forget();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(requests).toEqual([]);
    commits.note('t', 1, 1n);
    await commits.flush();
    expect(requests).toEqual([['t/1@1']]);
  });

  it('go on after one that failed', async () => {
    const { commits, requests } = recorded(() => Promise.reject(new Error('away')));
    commits.note('t', 0, 1n);
    await vi.advanceTimersByTimeAsync(1_000);
    commits.note('t', 0, 2n);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(requests).toEqual([['t/0@1'], ['t/0@2']]);
  });

  it('wait for one that takes long, and then say the latest', async () => {
    let answer = (): void => undefined;
    const slow = new Promise<void>((resolve) => (answer = resolve));
    const { commits, requests } = recorded(() => slow);
    for (const next of [1n, 2n, 3n]) {
      commits.note('t', 0, next);
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(requests).toEqual([['t/0@1']]);
    answer();
    await vi.advanceTimersByTimeAsync(1);
    expect(requests).toEqual([['t/0@1'], ['t/0@3']]);
  });
});
