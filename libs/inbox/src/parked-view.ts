import type { EventContract, ReceivedEvent } from '@castiron/contracts';
import type { Item } from './item.js';
import type { PackedMessage, PackedPart } from './packing.js';

/** A part of a message without its content. The hash is SHA-256, to compare with what a sender says it sent. */
export interface PartView {
  readonly bytes: number;
  readonly kind: 'none' | 'json' | 'text' | 'binary' | 'prefix';
  readonly sha256?: string;
}

/** A parked message for the eyes of operators: no key, no value, no header but those whose shape holds no person. */
export interface ContentView {
  readonly key: PartView;
  readonly value: PartView;
  readonly headers: readonly ({ readonly name: string; readonly value?: string } & PartView)[];
  /** Why it is no event, without any value of it. */
  readonly problem?: string;
  /** Of an event: its fields of closed lists, numbers and truth values; all of them where the contract has no person in it. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** Headers of ours that say nothing of a person, where they look as they should. */
const SHOWN: Readonly<Record<string, RegExp>> = {
  'content-type': /^application\/json$/,
  ce_specversion: /^1\.0$/,
  ce_id: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  ce_time: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/,
  ce_sequence: /^\d{1,19}$/,
  ce_dataclassification: /^(public|internal|confidential|restricted)$/,
};
/** Names of ours, shown without their value: it may be anything. */
const NAMED = ['ce_type', 'ce_source', 'ce_correlationid', 'ce_ledgerentry', 'ce_dataregulation'];

const UTF8 = new TextDecoder('utf-8', { fatal: true });

function kindOf(bytes: Buffer): PartView['kind'] {
  let text: string;
  try {
    text = UTF8.decode(bytes);
  } catch {
    return 'binary';
  }
  try {
    JSON.parse(text);
    return 'json';
  } catch {
    return 'text';
  }
}

function viewOf({ bytes, sha256, kept }: PackedPart): PartView {
  if (kept === null) return { bytes: 0, kind: 'none' };
  const kind = kept.length < bytes ? 'prefix' : kindOf(kept);
  return { bytes, kind, ...(sha256 !== undefined && { sha256 }) };
}

function headerView(name: string, part: PackedPart): ContentView['headers'][number] {
  const text = part.kept?.toString('latin1') ?? '';
  const shape = Object.hasOwn(SHOWN, name) ? SHOWN[name] : undefined;
  if (shape?.test(text) === true) return { name, value: text, ...viewOf(part) };
  const known = shape !== undefined || NAMED.includes(name);
  return { name: known ? name : 'another', ...viewOf(part) };
}

interface FieldSchema {
  readonly enum?: unknown;
  readonly type?: unknown;
}

function isImpersonal(schema: FieldSchema | undefined): boolean {
  return schema !== undefined && (Array.isArray(schema.enum) || schema.type === 'boolean' || schema.type === 'integer');
}

function fieldsOf(contract: EventContract, data: ReceivedEvent['data']): Record<string, unknown> {
  const all = Object.entries((data ?? {}) as Record<string, unknown>);
  const { properties = {} } = contract.schema as { properties?: Record<string, FieldSchema> };
  const own = all.filter(([name]) => Object.hasOwn(properties, name));
  return Object.fromEntries(contract.personal ? own.filter(([name]) => isImpersonal(properties[name])) : own);
}

/** @param item what is read of the message today; undefined where it was truncated, or is passed over by now */
export function contentView(packed: PackedMessage, item: Item | undefined): ContentView {
  const { content } = item ?? {};
  return {
    key: viewOf(packed.key),
    value: viewOf(packed.value),
    headers: packed.headers.map(({ name, part }) => headerView(name, part)),
    ...(content?.kind === 'broken' && { problem: content.detail }),
    ...(content?.kind === 'event' && { fields: fieldsOf(content.event.contract, content.event.data) }),
  };
}
