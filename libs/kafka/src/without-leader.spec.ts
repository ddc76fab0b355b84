import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import './kafkajs.js';
import { topicsWithLeaders } from './without-leader.js';

const require = createRequire(import.meta.url);

const partition = (partitionId: number, partitionErrorCode: number, leader: number) => ({
  partitionId,
  partitionErrorCode,
  leader,
  replicas: [1],
  isr: [1],
});
const metadataOf = (topicErrorCode: number, ...partitionMetadata: ReturnType<typeof partition>[]) => ({
  topicMetadata: [{ topicErrorCode, topic: 'a', partitionMetadata }],
});

it('is what kafkajs reads metadata with', () => {
  for (let version = 0; version <= 6; version += 1) {
    const path = `kafkajs/src/protocol/requests/metadata/v${version}/response.js`;
    expect((require(path) as { parse: unknown }).parse).toBe(topicsWithLeaders);
  }
});

it('takes a partition that nobody leads for one of its topic, whatever the reason', async () => {
  const { topicMetadata } = await topicsWithLeaders(
    metadataOf(0, partition(0, 0, 1), partition(1, 5, -1), partition(2, 72, 1), partition(3, 9, 1)),
  );
  const led = topicMetadata[0]?.partitionMetadata.map(({ partitionId, leader }) => [partitionId, leader]);
  expect(led).toEqual([
    [0, 1],
    [1, -1],
    [2, -1],
    [3, 1],
  ]);
});

it('fails where there is no such topic', async () => {
  await expect(topicsWithLeaders(metadataOf(3))).rejects.toMatchObject({ type: 'UNKNOWN_TOPIC_OR_PARTITION' });
});
