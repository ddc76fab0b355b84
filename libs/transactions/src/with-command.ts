import { once } from 'node:events';
import { Query, type Client, type Connection, type QueryResult } from 'pg';
import type { Statement } from './transaction.js';

/** What `pg`'s types leave out of its own. */
interface Wire extends Connection {
  readonly parsedStatements: Record<string, string>;
  parse(of: { text: string }): void;
  bind(of: object): void;
  execute(of: object): void;
  close(of: { type: 'S'; name: string }): void;
  sync(): void;
}

/** Commands without parameters, before a statement or after it. */
interface Commands {
  readonly before?: string;
  readonly after?: string;
}

/**
 * A statement of `pg` with commands that are sent with it, before PostgreSQL is asked for an answer. It carries nothing out
 * that follows what fails (PostgreSQL's protocol, Extended Query).
 */
class WithCommand extends Query {
  private readonly name: string | undefined;

  constructor(
    { name, text, values }: Statement,
    private readonly commands: Commands,
  ) {
    // Not as one object, of which `pg` makes a copy field by field.
    super(text, values);
    this.name = name;
  }

  /** Plain text, as what has neither name nor values is sent otherwise, is carried out by itself. */
  protected requiresPreparation(): boolean {
    return true;
  }

  /** `pg` calls it for what a prepared statement sends. */
  protected prepare(wire: Wire): void {
    const { name } = this;
    if (this.commands.before !== undefined) send(wire, this.commands.before);
    // Where it failed before, `pg` does not know whether PostgreSQL has it. Closing one that is not there is no error.
    if (name !== undefined && wire.parsedStatements[name] === undefined) wire.close({ type: 'S', name });
    (Query.prototype as unknown as { prepare: (wire: Wire) => void }).prepare.call(this, wire);
  }

  /** `pg` calls it for the end of that. */
  protected _getRows(wire: Wire): void {
    wire.execute({});
    if (this.commands.after !== undefined) send(wire, this.commands.after);
    wire.sync();
  }

  /** `pg` takes the first that was parsed for the statement, which may have failed after it. */
  protected handleError(error: Error, wire: Wire): void {
    if (this.name !== undefined) Reflect.deleteProperty(wire.parsedStatements, this.name);
    (Query.prototype as unknown as { handleError: (error: Error, wire: Wire) => void }).handleError.call(
      this,
      error,
      wire,
    );
  }
}

function send(wire: Wire, command: string): void {
  wire.parse({ text: command });
  wire.bind({});
  wire.execute({});
}

/** Sends all of it at once, to be answered at once. @returns the answers, in order */
export async function withCommand(client: Client, statement: Statement, commands: Commands): Promise<QueryResult[]> {
  const query = new WithCommand(statement, commands);
  client.query(query);
  const [answers] = (await once(query, 'end')) as [QueryResult[]];
  return answers;
}
