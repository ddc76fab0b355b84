import { randomUUID } from 'node:crypto';
import { defineTopic } from '@castiron/contracts';
import { afterAll, expect, inject, it } from 'vitest';
import { connect, transactionsUnderWay } from './index.js';
import { openTransaction } from './testing/open-transaction.js';

const { bootstrap, principals } = inject('stack').kafka;
const { username = '', password = '' } = principals['admin'] ?? {};
const settings = { brokers: [bootstrap], clientId: 'spec', username, password };
const admin = connect(settings).admin();
afterAll(() => admin.close());

it('tells since when a transaction is under way, until it is ended', async () => {
  const topic = defineTopic({ name: `spec.${randomUUID()}.v1`, kind: 'events', partitions: 1 });
  await admin.createTopics([topic]);
  const before = Date.now();
  const open = await openTransaction(settings, [{ topic: topic.name, key: 'k', value: 'v', headers: {} }]);
  const since = (await transactionsUnderWay(settings)).get(open.transactionalId);
  expect(since).toBeGreaterThanOrEqual(before);
  expect(since).toBeLessThanOrEqual(Date.now());
  await open.abort();
  expect((await transactionsUnderWay(settings)).get(open.transactionalId)).toBeUndefined();
});
