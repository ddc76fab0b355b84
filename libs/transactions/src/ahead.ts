import pg, { type Client, type Connection, type QueryResult } from 'pg';
import { forget, messagesOf, remember } from './prepared.js';
import type { Statement } from './transaction.js';

type Told = (error: Error | null, result?: QueryResult) => void;

/** What `pg` calls of a query: once to send it, then with each answer. */
interface Answering {
  /** @returns why it cannot be sent */
  submit(connection: Connection): Error | null;
  handleCommandComplete(answer: unknown, connection: Connection): void;
  handleDataRow(row: unknown): void;
  handleReadyForQuery(connection: Connection): void;
  handleError(error: Error, connection: Connection): void;
}

const AnsweringQuery = pg.Query as unknown as new (asked: {
  text: string;
  values: unknown;
  queryMode: 'extended';
  callback: Told;
}) => Answering;

/**
 * A query that sends statements before itself, as one message of PostgreSQL's extended protocol. It hears of them only that
 * one failed: then it is not carried out either, and fails of the same.
 */
class Carrying extends AnsweringQuery {
  private ahead: number;

  constructor(
    text: string,
    values: unknown,
    private readonly statements: readonly Statement[],
    callback: Told,
  ) {
    // Mixed with the extended protocol, the simple one would leave its failures without an end.
    super({ text, values, queryMode: 'extended', callback });
    this.ahead = statements.length;
  }

  override submit(connection: Connection): Error | null {
    const { stream } = connection;
    stream.cork();
    try {
      // Whoever closed it tells the query.
      if (stream.writable) stream.write(Buffer.concat(messagesOf(connection, this.statements)));
      return super.submit(connection);
    } finally {
      stream.uncork();
    }
  }

  override handleCommandComplete(answer: unknown, connection: Connection): void {
    if (this.ahead > 0) this.ahead -= 1;
    else super.handleCommandComplete(answer, connection);
  }

  override handleDataRow(row: unknown): void {
    if (this.ahead === 0) super.handleDataRow(row);
  }

  override handleReadyForQuery(connection: Connection): void {
    remember(connection, this.statements);
    super.handleReadyForQuery(connection);
  }

  override handleError(error: Error, connection: Connection): void {
    forget(connection, this.statements);
    // Nothing has begun, and whatever else is asked would stand by itself.
    if (this.ahead === this.statements.length) connection.stream.destroy(error);
    super.handleError(error, connection);
  }
}

/** Statements that wait to go ahead of the next query of a connection, which saves a round trip. */
export class Ahead {
  private readonly asked: { query: (this: void, ...given: unknown[]) => unknown };
  private readonly query: (this: void, ...given: unknown[]) => unknown;

  constructor(
    private readonly client: Client,
    private statements: readonly Statement[],
  ) {
    this.asked = client;
    this.query = this.asked.query;
    // By a name of its own, as with what a transaction hears (`in-transaction.ts`).
    const carried = (...given: unknown[]): unknown => this.carriedBy(...given);
    this.asked.query = carried;
  }

  /** They wait no longer. @returns those that went ahead of nothing */
  end(): readonly Statement[] {
    this.asked.query = this.query;
    const { statements } = this;
    this.statements = [];
    return statements;
  }

  private carriedBy(...given: readonly unknown[]): unknown {
    const [asked, values] = given;
    // One of another kind has a protocol of its own. They wait on: nothing has begun.
    if (typeof asked !== 'string') throw new TypeError('a transaction begins with a statement, not with a cursor');
    const statements = this.end();
    return new Promise<QueryResult | undefined>((resolve, reject) => {
      const told: Told = (error, result) => (error === null ? resolve(result) : reject(error));
      this.client.query(new Carrying(asked, values, statements, told));
    });
  }
}
