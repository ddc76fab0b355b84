import { createHash } from 'node:crypto';
import {
  defineEvent,
  defineTopic,
  encodeEvent,
  newEventId,
  profileChanged,
  topicOf,
  type DataOf,
  type WireMessage,
} from '@castiron/contracts';

/** Bytes of every event's value. */
const EVENT_BYTES = 600;
const CUSTOMERS = 2_000;
const PARTITIONS = 6;

/** The largest event of the product, by its own schema and key, on a topic with the settings of ours; on its own topic itself. */
export const contractOn = (topic: string) =>
  topic === topicOf(profileChanged).name
    ? profileChanged
    : defineEvent({
        ...profileChanged,
        type: 'bench.profile-changed.v1',
        topic: defineTopic({ name: topic, kind: 'events', partitions: PARTITIONS }),
      });

export type BenchContract = ReturnType<typeof contractOn>;

/** As hard to compress as a ciphertext, and the same for the same number in every process. */
const ciphertext = (n: number, length: number): string =>
  createHash('shake256', { outputLength: length }).update(String(n)).digest('base64').slice(0, length);

const customerOf = (n: number): string => `5f0c5a0e-6ff2-4d1e-8d0e-${(n % CUSTOMERS).toString(16).padStart(12, '0')}`;

/** The n-th event, {@link EVENT_BYTES} as JSON. `version` carries the number. */
export function dataOf(n: number): DataOf<BenchContract> {
  const data = (sealed: string): DataOf<BenchContract> => ({
    customer: customerOf(n),
    version: n + 1,
    door: 'service-order',
    purposes: ['invoicing', 'service-delivery', 'security', 'notices'],
    origin: 'registered',
    statementVersion: 1,
    registeredAt: '2026-11-23T09:00:00.000Z',
    attributes: { registeredAddress: { version: 1, sealed } },
  });
  return data(ciphertext(n, EVENT_BYTES - JSON.stringify(data('')).length));
}

const VERSION = /"version":(\d+)/;

/** The number of an event from its bytes; cheaper than reading all of it. */
export function numberOf(value: Buffer | null): number {
  return Number(VERSION.exec(value?.toString('latin1') ?? '')?.[1]) - 1;
}

/** The n-th event as the relay puts it on the wire: the same bytes, the same headers. */
export function messageOf(contract: BenchContract, n: number): WireMessage {
  return encodeEvent(contract, dataOf(n), { id: newEventId(), time: new Date(), sequence: String(n + 1) });
}
