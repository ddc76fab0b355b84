import { createRequire } from 'node:module';

/**
 * kafkajs 2.2.4 goes on with what it fetched before its member joined anew, and settles it with what is the member's by then:
 * a TypeError where nothing of its topic is, which ends the consumer. It is settled by whoever has it now.
 */
interface Settled {
  readonly topic: string;
}
interface Offsets {
  readonly resolvedOffsets: Readonly<Record<string, unknown>>;
}
const require = createRequire(import.meta.url);
const OffsetManager = require('kafkajs/src/consumer/offsetManager/index.js') as {
  prototype: { resolveOffset: (this: Offsets, settled: Settled) => void };
};

const { resolveOffset } = OffsetManager.prototype;
OffsetManager.prototype.resolveOffset = function (settled) {
  if (settled.topic in this.resolvedOffsets) resolveOffset.call(this, settled);
};
