import { once } from 'node:events';
import { Query, type Client, type Connection, type QueryResult } from 'pg';
import type { Statement } from './transaction.js';

/** What `pg`'s types leave out of its own. */
interface Wire extends Connection {
  parse(of: { text: string }): void;
  bind(of: object): void;
  execute(of: object): void;
  sync(): void;
}

/** A statement of `pg` that another one follows before PostgreSQL is asked for an answer. */
class WithCommand extends Query {
  constructor(
    statement: Statement,
    private readonly command: string,
  ) {
    super({ ...statement });
  }

  /** Plain text, as what has neither name nor values is sent otherwise, has no such end. */
  protected requiresPreparation(): boolean {
    return true;
  }

  /** `pg` calls it for the end of what a prepared statement sends. PostgreSQL's protocol, Extended Query. */
  protected _getRows(wire: Wire): void {
    wire.execute({});
    wire.parse({ text: this.command });
    wire.bind({});
    wire.execute({});
    wire.sync();
  }
}

/**
 * Sends both at once, to be answered at once: PostgreSQL does not carry the command out where the statement fails.
 * @param command one without parameters
 * @returns the answer to the command
 */
export async function withCommand(client: Client, statement: Statement, command: string): Promise<QueryResult> {
  const query = new WithCommand(statement, command);
  client.query(query);
  const [answers] = (await once(query, 'end')) as [QueryResult[]];
  return answers.at(-1) as QueryResult;
}
