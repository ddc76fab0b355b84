import type { Client, Connection, Submittable } from 'pg';
import { serialize } from 'pg-protocol';
import { forget, messagesOf, remember } from './prepared.js';
import type { Statement } from './transaction.js';

type Answered = (error: Error | null, tags?: readonly string[]) => void;

/**
 * Statements that leave as one message of PostgreSQL's extended protocol and are answered at once. It carries nothing out
 * that follows what fails (PostgreSQL's protocol, Pipelining). Each is planned once a connection. Rows are passed over.
 *
 * A query of `pg` that submits itself, as its cursors do: `pg` calls what is named `handle...` with each answer.
 */
class Together implements Submittable {
  private readonly tags: string[] = [];

  /** @param callback called once; `pg` and whoever watches over it may put their own around it */
  constructor(
    private readonly statements: readonly Statement[],
    public callback: Answered,
  ) {}

  submit(connection: Connection): void {
    const messages = messagesOf(connection, this.statements);
    messages.push(serialize.sync());
    // Whoever closed it tells the query.
    if (connection.stream.writable) connection.stream.write(Buffer.concat(messages));
  }

  handleRowDescription(): void {}

  handleDataRow(): void {}

  handleCommandComplete({ text }: { readonly text: string }): void {
    this.tags.push(text);
  }

  handleReadyForQuery(connection: Connection): void {
    remember(connection, this.statements);
    this.callback(null, this.tags);
  }

  handleError(error: Error, connection: Connection): void {
    forget(connection, this.statements);
    this.callback(error);
  }
}

/** @returns what each was answered with, as PostgreSQL tags it: `INSERT 0 1`, `COMMIT` */
export function together(client: Client, statements: readonly Statement[]): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    client.query(new Together(statements, (error, tags = []) => (error === null ? resolve(tags) : reject(error))));
  });
}
