import { eventually } from '@castiron/testing';
import { afterAll, expect, inject, it } from 'vitest';
import { ConformanceRig, message } from './testing/conformance.rig.js';

const rig = new ConformanceRig(inject('stack').kafka, 'shipped');
afterAll(() => rig.close());

it('a span that begins before what was deleted is named, and what a transaction aborted is given all the same', async () => {
  const topic = await rig.newTopic();
  await rig.send(message(topic, 'k', '1'), message(topic, 'k', '2'));
  await (await rig.openTransaction(message(topic, 'k', 'aborted'))).abort();
  await eventually(async () => expect(await rig.admin.endOffsets(topic)).toEqual([{ partition: 0, offset: '4' }]));
  const admin = rig.raw().admin();
  await admin.connect();
  await admin.fetchTopicOffsets(topic);
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '1' }] });
  await admin.disconnect();
  const before = { topic, partition: 0, from: 0n, to: 4n };
  expect(await rig.kafka.readSpans([before], () => undefined)).toEqual([before]);
  const values: string[] = [];
  await rig.kafka.readSpans([{ ...before, from: 1n }], ({ value }) => values.push(String(value)));
  expect(values).toEqual(['2', 'aborted']);
});
