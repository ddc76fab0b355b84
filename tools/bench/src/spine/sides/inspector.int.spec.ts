import { describe, expect, inject, it } from 'vitest';
import { topicOf } from '@castiron/contracts';
import { connect } from '@castiron/kafka';
import { contractOn, messageOf } from '../events.js';
import { identical, strange } from './inspector.js';

const { kafka: endpoint } = inject('stack');
const kafka = {
  brokers: [endpoint.bootstrap],
  clientId: 'spec',
  username: 'admin',
  password: endpoint.principals['admin']?.password ?? '',
};

async function topicWith(
  name: string,
  messages: (contract: ReturnType<typeof contractOn>) => ReturnType<typeof messageOf>[],
) {
  const contract = contractOn(`${name}-${process.pid}-${Date.now()}.v1`);
  const admin = connect(kafka).admin();
  await admin.createTopics([topicOf(contract)]);
  await admin.close();
  const producer = connect(kafka).producer();
  await producer.send(messages(contract));
  await producer.close();
  return topicOf(contract).name;
}

describe('what several sides sent', () => {
  it('counts as the same only with the same bytes and headers, as often as there are sides', async () => {
    const topic = await topicWith('bench.same', (contract) => {
      const [same, once, other, header] = [0, 1, 2, 3].map((n) => messageOf(contract, n));
      if (!same || !once || !other || !header) throw new Error('four events');
      return [
        ...[same, same, once],
        ...[other, { ...other, value: `${other.value} ` }],
        ...[header, { ...header, headers: { ...header.headers, ce_sequence: '99' } }],
      ];
    });
    expect(await identical({ kafka, topic, times: 2 })).toBe(1);
    expect(await identical({ kafka, topic, times: 1 })).toBe(1);
  });

  it('is strange where it is no event of the other topic, ids and times apart', async () => {
    const of = await topicWith('bench.of', (contract) => [0, 1].map((n) => messageOf(contract, n)));
    const sent = await topicWith('bench.of', (contract) => {
      const [same, less] = [0, 1].map((n) => messageOf(contract, n));
      if (!same || !less) throw new Error('two events');
      const { ce_source: _, ...headers } = less.headers;
      return [same, { ...less, headers }];
    });
    expect(await strange({ kafka, topic: sent, of })).toBe(1);
  });
});
