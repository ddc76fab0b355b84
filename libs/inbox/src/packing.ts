import { createHash } from 'node:crypto';
import { MAX_MESSAGE_BYTES, MOST_HEADERS, type RawMessage } from '@castiron/contracts';

/** More than a topic takes: only a message that was packed small can be larger, and none of ours is. */
export const LARGEST_BYTES = MAX_MESSAGE_BYTES;

/** What is kept of the key and of the value of a message that is not kept whole. */
const PREFIX_BYTES = 4_096;

/** Parts that a header name or key may have, far above those of ours. */
const PART_BYTES = 1_024;

/** One part of a message that was parked: what it was, and as much of it as was kept. */
export interface PackedPart {
  readonly bytes: number;
  /** SHA-256 of all of it, hexadecimal; undefined where there was nothing. */
  readonly sha256: string | undefined;
  /** All of it, or a prefix where the message was too large. null: there was none. */
  readonly kept: Buffer | null;
}

/** What was kept of a message. */
export interface PackedMessage {
  /** Only a prefix was kept: it can never be handled. */
  readonly truncated: boolean;
  readonly key: PackedPart;
  readonly value: PackedPart;
  readonly headers: readonly { readonly name: string; readonly part: PackedPart }[];
}

type HeaderValue = Buffer | string | null;

const isHeaderValue = (value: unknown): value is HeaderValue =>
  value === null || typeof value === 'string' || Buffer.isBuffer(value);

const bytesOf = (part: Buffer | string | null): Buffer | null => (typeof part === 'string' ? Buffer.from(part) : part);

/** Each value with its name. Whatever else a client may give out as one is none: keeping a message must not fail for it. */
function headersOf({ headers }: RawMessage): [string, HeaderValue][] {
  return Object.entries(headers ?? {}).flatMap(([name, values]) =>
    [values].flat().flatMap((value: unknown): [string, HeaderValue][] => (isHeaderValue(value) ? [[name, value]] : [])),
  );
}

function sizeOf(part: unknown): number {
  if (typeof part === 'string') return Buffer.byteLength(part);
  return Buffer.isBuffer(part) ? part.length : 0;
}

/**
 * What a message takes: bytes of key, value, and headers with their names, as many as were read of it; and whether that is
 * too much to keep it whole.
 */
export function measure(raw: RawMessage): { readonly size: number; readonly oversized: boolean } {
  let size = sizeOf(raw.key) + sizeOf(raw.value);
  let count = 0;
  const add = (name: string, value: unknown): void => {
    size += sizeOf(name) + sizeOf(value);
    count += 1;
  };
  const headers = raw.headers ?? {};
  for (const name of Object.keys(headers)) {
    const values = headers[name];
    if (Array.isArray(values)) for (const value of values) add(name, value);
    else add(name, values);
  }
  return { size, oversized: size > LARGEST_BYTES || count > MOST_HEADERS };
}

const NOTHING = 0xffff_ffff;

function lengthOf(length: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(length);
  return bytes;
}

/** A part: its length (or that there is none), its hash, how much of it follows, and that. */
function part(bytes: Buffer | null, most: number): Buffer[] {
  if (bytes === null) return [lengthOf(NOTHING)];
  const kept = bytes.subarray(0, most);
  return [lengthOf(bytes.length), createHash('sha256').update(bytes).digest(), lengthOf(kept.length), kept];
}

/**
 * The message in bytes, each part with its length before it. Of one that is oversized only sizes, hashes and prefixes,
 * so that what is stored stays small whatever is sent.
 */
export function pack(raw: RawMessage): { readonly bytes: Buffer; readonly size: number; readonly truncated: boolean } {
  const { size, oversized: truncated } = measure(raw);
  const most = truncated ? PREFIX_BYTES : Infinity;
  const small = truncated ? PART_BYTES : Infinity;
  // As many as ours have, and room: a million headers are no prefix.
  const headers = truncated ? headersOf(raw).slice(0, 16) : headersOf(raw);
  const pieces = [
    Buffer.from([truncated ? 1 : 0]),
    ...part(bytesOf(raw.key), most),
    ...part(bytesOf(raw.value), most),
    ...headers.flatMap(([name, value]) => [...part(Buffer.from(name), small), ...part(bytesOf(value), small)]),
  ];
  return { bytes: Buffer.concat(pieces), size, truncated };
}

/** @throws RangeError where these are no bytes of {@link pack} */
export function unpack(bytes: Buffer): PackedMessage {
  let at = 1;
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new RangeError('a parked message ends too early');
    at += length;
    return bytes.subarray(at - length, at);
  };
  const next = (): PackedPart => {
    const length = take(4).readUInt32BE();
    if (length === NOTHING) return { bytes: 0, sha256: undefined, kept: null };
    const sha256 = take(32).toString('hex');
    return { bytes: length, sha256, kept: take(take(4).readUInt32BE()) };
  };
  const [truncated, key, value] = [bytes[0] !== 0, next(), next()];
  const headers: { name: string; part: PackedPart }[] = [];
  while (at < bytes.length) headers.push({ name: next().kept?.toString() ?? '', part: next() });
  return { truncated, key, value, headers };
}

/** The message as it was. Not for one of which only a prefix was kept. */
export function messageOf(topic: string, { key, value, headers }: PackedMessage): RawMessage {
  const values = new Map<string, (Buffer | null)[]>();
  for (const { name, part: own } of headers) values.set(name, [...(values.get(name) ?? []), own.kept]);
  const entries = [...values].map(([name, own]) => [name, own.length === 1 ? own[0] : own] as const);
  return { topic, key: key.kept, value: value.kept, headers: Object.fromEntries(entries) };
}
