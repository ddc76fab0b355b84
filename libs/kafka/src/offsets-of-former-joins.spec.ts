import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import './kafkajs.js';

const OffsetManager = createRequire(import.meta.url)('kafkajs/src/consumer/offsetManager/index.js') as new (
  of: object,
) => {
  resolveOffset(settled: { topic: string; partition: number; offset: string }): void;
  readonly resolvedOffsets: object;
};

it('what was fetched before a topic went to another member is passed over, and what is still its own is settled', () => {
  const offsets = new OffsetManager({ memberAssignment: { kept: [0] } });
  offsets.resolveOffset({ topic: 'gone', partition: 0, offset: '6' });
  offsets.resolveOffset({ topic: 'kept', partition: 0, offset: '6' });
  expect(offsets.resolvedOffsets).toEqual({ kept: { 0: '7' } });
});
