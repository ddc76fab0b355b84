import { Writable } from 'node:stream';
import { createLogger } from '@castiron/observability';
import { expect, inject, it } from 'vitest';
import { kafkaOf } from './kafka-of.js';

it('says why the broker refused something, in its own words', async () => {
  const { bootstrap, principals } = inject('stack').kafka;
  const { username = '', password = '' } = principals['recommendations'] ?? {};
  const lines: string[] = [];
  const heard = new Writable({
    write: (line: Buffer, _encoding, done) => {
      lines.push(line.toString());
      done();
    },
  });
  const settings = {
    name: 'spec',
    kafkaBrokers: [bootstrap],
    kafkaUsername: username,
    kafkaPassword: password,
    kafkaSsl: false,
    leaseMs: 4_000,
  };
  const kafka = kafkaOf(settings, createLogger('spec', 'info', heard));
  await expect(kafka.read('customers.profiles.v1', {})[Symbol.asyncIterator]().next()).rejects.toThrow();
  expect(lines.join('')).toMatch(/"from":"kafka".*"cause":"[^"]*not authorized/i);
});
