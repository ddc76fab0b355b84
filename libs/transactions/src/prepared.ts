import type { Connection } from 'pg';
import { serialize } from 'pg-protocol';
import type { Statement } from './transaction.js';

/** What was prepared on a connection, by name. */
const prepared = new WeakMap<Connection, Set<string>>();

function preparedOn(connection: Connection): Set<string> {
  const names = prepared.get(connection) ?? new Set();
  prepared.set(connection, names);
  return names;
}

/** Of PostgreSQL's extended protocol, without what ends it: each statement is planned once a connection. */
export function messagesOf(connection: Connection, statements: readonly Statement[]): Buffer[] {
  const names = preparedOn(connection);
  const messages: Buffer[] = [];
  for (const { name, text, values = [] } of statements) {
    // Whether PostgreSQL has it, nobody knows where it failed before. Closing one that is not there is no error.
    if (!names.has(name)) messages.push(serialize.close({ type: 'S', name }), serialize.parse({ name, text }));
    messages.push(serialize.bind({ statement: name, values }), serialize.execute());
  }
  return messages;
}

/** They were carried out. */
export function remember(connection: Connection, statements: readonly Statement[]): void {
  const names = preparedOn(connection);
  for (const { name } of statements) names.add(name);
}

/** One of them failed, or may have. */
export function forget(connection: Connection, statements: readonly Statement[]): void {
  const names = preparedOn(connection);
  for (const { name } of statements) names.delete(name);
}
