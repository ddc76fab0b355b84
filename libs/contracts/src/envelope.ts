import { randomUUIDv7 } from 'node:crypto';
import type { EventContract, DataOf } from './event.js';
import { isFamily } from './event.js';
import type { Topic } from './topic.js';
import { validateData } from './validation.js';

/** A message as it stands on a topic. A null value deletes its key (state topics only). */
export interface WireMessage {
  readonly topic: string;
  readonly key: string;
  readonly value: string | null;
  readonly headers: Readonly<Record<string, string>>;
  /** Where it goes instead of by its key. */
  readonly partition?: number;
}

/** Framing of a record, with the number of its row that an outbox adds to its headers; and of a header. */
const RECORD_BYTES = 96;
const HEADER_BYTES = 4;

/** What an event takes of a message, in bytes: key, value, headers, and the framing of each. */
export function bytesOf({ key, value, headers }: WireMessage): number {
  let bytes = RECORD_BYTES + Buffer.byteLength(key) + Buffer.byteLength(value ?? '');
  for (const name in headers) bytes += name.length + Buffer.byteLength(headers[name] ?? '') + HEADER_BYTES;
  return bytes;
}

/** What a received message looks like before it is trusted. */
export interface RawMessage {
  readonly topic: string;
  readonly key: Buffer | string | null;
  readonly value: Buffer | string | null;
  readonly headers?:
    Readonly<Record<string, Buffer | string | null | (Buffer | string | null)[] | undefined>> | undefined;
}

/** CloudEvents context attributes of one message (CloudEvents 1.0, Kafka binding, binary mode). */
export interface EventMeta {
  /** UUIDv7. */
  readonly id: string;
  readonly time: Date;
  /** Follows the work from the HTTP request on; never personal data. */
  readonly correlationId?: string | undefined;
  /** The outbox id, growing per producer and key. */
  readonly sequence?: string | undefined;
  /** The ledger entry a feed's record or tombstone belongs to. */
  readonly ledgerEntry?: string | undefined;
}

/** A received event whose headers and data were checked against its contract. */
export interface ReceivedEvent<Contract extends EventContract = EventContract> {
  readonly contract: Contract;
  readonly topic: string;
  readonly key: string;
  /** null: the key was deleted. */
  readonly data: DataOf<Contract> | null;
  readonly meta: EventMeta;
}

export type Decoded<Contract extends EventContract = EventContract> =
  | { readonly ok: true; readonly event: ReceivedEvent<Contract> }
  | { readonly ok: false; readonly reason: DecodeFailure; readonly detail: string };

/** Why a message is no event: these are stable codes, shown to operators. */
export type DecodeFailure =
  'missing-headers' | 'unknown-type' | 'wrong-topic' | 'missing-key' | 'bad-json' | 'unknown-shape' | 'bad-data';

/** The media type of every event's value. */
const JSON_TYPE = 'application/json';

export function newEventId(): string {
  return randomUUIDv7();
}

/** The topic of one event; a family needs the recipient's slug. */
export function topicOf(contract: EventContract, slug?: string): Topic {
  if (!isFamily(contract.topic)) return contract.topic;
  if (slug === undefined) throw new TypeError(`${contract.type} goes to one recipient: a slug is needed`);
  return contract.topic.of(slug);
}

function headersOf(contract: EventContract, meta: EventMeta): Record<string, string> {
  const headers: Record<string, string> = {
    'content-type': JSON_TYPE,
    ce_specversion: '1.0',
    ce_id: meta.id,
    ce_type: contract.type,
    ce_source: `/castiron/${contract.producer}`,
    ce_time: meta.time.toISOString(),
    ce_dataclassification: contract.classification,
  };
  if (contract.personal) headers['ce_dataregulation'] = 'GDPR';
  if (meta.sequence !== undefined) headers['ce_sequence'] = meta.sequence;
  if (meta.correlationId !== undefined) headers['ce_correlationid'] = meta.correlationId;
  if (meta.ledgerEntry !== undefined) headers['ce_ledgerentry'] = meta.ledgerEntry;
  return headers;
}

/**
 * Puts an event on the wire.
 * @throws TypeError where the data does not fit the schema: that is a bug of the producer.
 */
export function encodeEvent<Contract extends EventContract>(
  contract: Contract,
  data: DataOf<Contract>,
  meta: EventMeta,
  slug?: string,
): WireMessage {
  const problem = validateData(contract, data);
  if (problem !== undefined) throw new TypeError(`${contract.type} does not fit its contract: ${problem}`);
  return {
    topic: topicOf(contract, slug).name,
    key: contract.key(data),
    value: JSON.stringify(data),
    headers: headersOf(contract, meta),
  };
}

/** Deletes a key of a state topic. */
export function encodeTombstone(contract: EventContract, key: string, meta: EventMeta, slug?: string): WireMessage {
  const topic = topicOf(contract, slug);
  if (topic.kind !== 'state') throw new TypeError(`${topic.name} keeps every event: it has no tombstones`);
  return { topic: topic.name, key, value: null, headers: headersOf(contract, meta) };
}

function headerOf(message: RawMessage, name: string): string | undefined {
  const value = message.headers?.[name];
  const first = Array.isArray(value) ? value[0] : value;
  return first?.toString();
}

/** The `ce_type` of a message, for what must be told apart before it is decoded (ticks of a feed). */
export function typeOf(message: RawMessage): string | undefined {
  return headerOf(message, 'ce_type');
}

function metaOf(message: RawMessage): EventMeta | undefined {
  const id = headerOf(message, 'ce_id');
  const time = new Date(headerOf(message, 'ce_time') ?? Number.NaN);
  if (headerOf(message, 'ce_specversion') !== '1.0' || id === undefined || !/^[0-9a-f-]{36}$/.test(id))
    return undefined;
  if (Number.isNaN(time.getTime())) return undefined;
  return {
    id,
    time,
    correlationId: headerOf(message, 'ce_correlationid'),
    sequence: headerOf(message, 'ce_sequence'),
    ledgerEntry: headerOf(message, 'ce_ledgerentry'),
  };
}

/** Whether events of this contract stand on this topic. */
export function belongsTo(contract: EventContract, topicName: string): boolean {
  return isFamily(contract.topic) ? contract.topic.slugOf(topicName) !== undefined : contract.topic.name === topicName;
}

/** Checks a message against the contracts its reader knows; never throws. */
export function decodeMessage(message: RawMessage, contracts: readonly EventContract[]): Decoded {
  const refuse = (reason: DecodeFailure, detail: string): Decoded => ({ ok: false, reason, detail });
  const type = typeOf(message);
  const meta = metaOf(message);
  if (type === undefined || meta === undefined) return refuse('missing-headers', 'no CloudEvents 1.0 headers');
  const contract = contracts.find((candidate) => candidate.type === type);
  if (contract === undefined) return refuse('unknown-type', 'no contract known here has this type');
  if (!belongsTo(contract, message.topic)) return refuse('wrong-topic', `${type} does not belong on this topic`);
  const key = message.key?.toString();
  if (key === undefined || key === '') return refuse('missing-key', 'the message has no key');
  const received = { contract, topic: message.topic, key, meta };
  if (message.value === null) {
    if (contract.topic.kind === 'events') return refuse('bad-data', 'an event has no empty value');
    return { ok: true, event: { ...received, data: null } };
  }
  let data: unknown;
  try {
    data = JSON.parse(message.value.toString());
  } catch {
    return refuse('bad-json', 'the value is not JSON');
  }
  const problem = validateData(contract, data);
  if (problem !== undefined) return refuse('unknown-shape', problem);
  if (contract.key(data) !== key) return refuse('bad-data', 'the key does not fit the data');
  return { ok: true, event: { ...received, data } };
}
