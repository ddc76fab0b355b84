import { hash } from 'node:crypto';
import type { IncomingMessage } from '@castiron/kafka';

type Header = Buffer | string | null | undefined;

const textOf = (bytes: Header): string | null =>
  bytes === null || bytes === undefined ? null : Buffer.from(bytes).toString('base64');

/** SHA-256 of key, value and headers, wherever the record stands: two that have it are copies of each other. */
export function digestOf({ key, value, headers }: IncomingMessage): Buffer {
  const named = Object.keys(headers)
    .sort()
    .map((name) => [name, [headers[name]].flat().map(textOf)]);
  return hash('sha256', JSON.stringify([textOf(key), textOf(value), named]), 'buffer');
}
