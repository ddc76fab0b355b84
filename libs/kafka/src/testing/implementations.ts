import { connect } from '../connect.js';
import type { Kafka, KafkaSettings } from '../types.js';
import { connect as connectPlatformatic } from './platformatic/connect.js';

type Connect = (settings: KafkaSettings) => Kafka;

/** What implements the port: the specs in `conformance/` hold for each. */
const IMPLEMENTATIONS: ReadonlyMap<string, Connect> = new Map([
  ['shipped', connect],
  ['platformatic', connectPlatformatic],
]);

export function implementationNamed(name: string): Connect {
  const found = IMPLEMENTATIONS.get(name);
  if (found === undefined)
    throw new Error(`no implementation "${name}", only ${[...IMPLEMENTATIONS.keys()].join(', ')}`);
  return found;
}
