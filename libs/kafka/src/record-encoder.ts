import type { IHeaders } from 'kafkajs';
import { giveBackMemory, GRAIN_BYTES, takeMemory } from './request-memory.js';
import type { EncodedMessage, MessageEncoder } from './types.js';
import { lengthOf, MOST_VARINT_BYTES, sizeOfVarint, writeVarint, type Text } from './varint.js';

/** What a record has before its key, at most: its length, attributes, time and place in its batch. */
const FRAMING_BYTES = 2 * MOST_VARINT_BYTES + 2;
const GROWTH = 4;
/** Of a longer text it is counted what it takes; of others it is enough that there is room for any. */
const SHORT = 1_024;
const MOST_BYTES_OF_CHARACTER = 3;

const NONE = Buffer.alloc(0);

/** As kafkajs takes them, too: headers may have several values each, and keys be none. */
export interface Encodable {
  readonly topic?: string;
  readonly partition?: number;
  readonly key?: Text;
  readonly value: Text;
  readonly headers?: IHeaders;
}

/** A message as it stands in a batch, all but its place there. Its bytes are where it was encoded. */
export class EncodedRecord implements EncodedMessage {
  constructor(
    private encoder: RecordEncoder | undefined,
    private readonly from: number,
    private readonly to: number,
    private readonly keyFrom: number,
    private readonly keyTo: number,
    readonly topic: string,
    readonly partition: number | undefined,
  ) {}

  /**
   * kafkajs, which takes it as a message, asks whether there is one; {@link copyTo} has what it is. No value that anybody
   * could send: who does not know an encoded message fails.
   */
  get value(): null {
    return this as unknown as null;
  }

  /** Key, value and headers. */
  get length(): number {
    return this.to - this.from;
  }

  get bytes(): number {
    return this.length + FRAMING_BYTES;
  }

  /** @param look at the bytes of the key, from one place to another */
  ofKey<T>(look: (memory: Buffer, from: number, to: number) => T): T {
    return look(this.memory(), this.keyFrom, this.keyTo);
  }

  /** @returns where in the buffer it ends */
  copyTo(buffer: Buffer, at: number): number {
    return at + this.memory().copy(buffer, at, this.from, this.to);
  }

  /** Nobody will ask for its bytes again. */
  sent(): void {
    this.encoder?.settle();
    this.encoder = undefined;
  }

  private memory(): Buffer {
    if (this.encoder === undefined) throw new TypeError('this message was sent before');
    return this.encoder.memory;
  }
}

/**
 * Writes messages as they stand in a batch (Kafka's documentation, "Record", magic 2) one after the other into memory that
 * serves again once all of them were sent. Of one that is never sent, it is left to the collector.
 */
export class RecordEncoder implements MessageEncoder {
  memory: Buffer = NONE;
  private at = 0;
  private open = 0;

  encode({ topic = '', partition, key, value, headers = {} }: Encodable): EncodedRecord {
    const from = this.at;
    this.text(key);
    const keyTo = this.at;
    this.text(value);
    this.headers(headers);
    this.open += 1;
    return new EncodedRecord(this, from, this.at, keyTo - Math.max(lengthOf(key), 0), keyTo, topic, partition);
  }

  /** One of its messages was sent. */
  settle(): void {
    this.open -= 1;
    if (this.open === 0) this.forget();
  }

  /** Nobody will ask for any of its messages again. */
  forget(): void {
    giveBackMemory(this.memory.buffer);
    this.memory = NONE;
    this.at = 0;
    this.open = 0;
  }

  private headers(headers: IHeaders): void {
    const names = Object.keys(headers);
    let count = 0;
    for (const name of names) {
      const value = headers[name];
      count += Array.isArray(value) ? value.length : 1;
    }
    this.varint(count);
    for (const name of names) {
      const value = headers[name];
      if (!Array.isArray(value)) this.header(name, value);
      else for (const one of value) this.header(name, one);
    }
  }

  private header(name: string, value: Text): void {
    this.text(name);
    this.text(value);
  }

  private varint(n: number): void {
    this.makeRoom(MOST_VARINT_BYTES);
    this.at = writeVarint(this.memory, this.at, n);
  }

  private text(text: Text): void {
    if (typeof text === 'string') return this.string(text);
    this.varint(lengthOf(text));
    if (!text) return;
    this.makeRoom(text.length);
    this.at += text.copy(this.memory, this.at);
  }

  /** What it takes is known once it is written; most are as long in bytes as in characters, so it is tried there. */
  private string(text: string): void {
    const { length } = text;
    const most = length < SHORT ? length * MOST_BYTES_OF_CHARACTER : Buffer.byteLength(text);
    this.makeRoom(MOST_VARINT_BYTES + most);
    const { memory, at } = this;
    const tried = at + sizeOfVarint(length);
    const bytes = memory.write(text, tried);
    const start = at + sizeOfVarint(bytes);
    if (start !== tried) memory.copyWithin(start, tried, tried + bytes);
    writeVarint(memory, at, bytes);
    this.at = start + bytes;
  }

  private makeRoom(bytes: number): void {
    const needed = this.at + bytes;
    if (needed <= this.memory.length) return;
    const former = this.memory;
    this.memory = Buffer.from(takeMemory(Math.max(needed, GRAIN_BYTES, GROWTH * former.length)));
    former.copy(this.memory, 0, 0, this.at);
    giveBackMemory(former.buffer);
  }
}
