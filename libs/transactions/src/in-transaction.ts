import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import type { Statement } from './transaction.js';
import { Ahead } from './ahead.js';
import { together } from './together.js';
import { TransactionRunner } from './transaction-runner.js';

const BEGIN = { name: 'begin', text: 'START TRANSACTION ISOLATION LEVEL READ COMMITTED' };
/** Its name is what crosses the wire: those who cut commits off to test that go by it. */
const COMMIT = { name: 'COMMIT', text: 'COMMIT' };

/** What a transaction says without having to wait for an answer. */
interface Around {
  /** Its first statement, if any. */
  readonly first: Statement | undefined;
  /** Its last one, asked for once the work is done; throwing rolls back. */
  readonly last: () => Statement | undefined;
}

/**
 * As `dataSource.transaction('READ COMMITTED', work)`, in as few round trips as can be: where TypeORM waits for the answer
 * to each of two statements before it begins, one goes ahead of what the work asks first, and the commit with what is last.
 */
export async function inTransaction<T>(
  dataSource: DataSource,
  { first, last }: Around,
  work: (manager: EntityManager) => Promise<T>,
): Promise<T> {
  const runner = new TransactionRunner(dataSource);
  const stopListening = listen(runner, () => Promise.resolve());
  let ahead: Ahead | undefined;
  try {
    return await runner.manager.transaction('READ COMMITTED', async (manager) => {
      stopListening();
      const beginning = new Ahead(await runner.connect(), first === undefined ? [BEGIN] : [BEGIN, first]);
      ahead = beginning;
      // Where nothing was begun there is nothing to roll back. All else is the work's, or a subscriber's.
      listen(runner, (statement, say) =>
        statement === 'ROLLBACK' && beginning.end().length > 0 ? Promise.resolve() : say(),
      );
      const result = await work(manager);
      const ending = last();
      listen(runner, (statement, say) =>
        statement === 'COMMIT' ? commitWith(runner, beginning.end(), ending) : say(),
      );
      return result;
    });
  } finally {
    ahead?.end();
    await runner.release();
  }
}

/** Hears what is said, TypeORM's own words at first, instead of PostgreSQL. */
function listen(
  runner: QueryRunner,
  heard: (statement: string, say: () => Promise<unknown>) => Promise<unknown>,
): () => void {
  const says = runner as unknown as { query: (statement: string, ...more: unknown[]) => Promise<unknown> };
  const { query } = says;
  // By a name of its own: V8 makes a function that is written where it is given to a property in the old heap, which would
  // keep all of the transaction until that is collected.
  const hears: typeof query = (statement, ...more) => heard(statement, () => query.call(runner, statement, ...more));
  says.query = hears;
  // Put back, not deleted: an object that lost a property is slow for good.
  return () => void (says.query = query);
}

/**
 * What is written last takes the commit along.
 * @throws Error where a statement had failed and the work passed over it: there is nothing left to commit
 */
async function commitWith(
  runner: TransactionRunner,
  beginning: readonly Statement[],
  ending: Statement | undefined,
): Promise<void> {
  const statements = [...beginning, ...(ending === undefined ? [] : [ending]), COMMIT];
  const tags = await together(await runner.connect(), statements);
  if (tags.at(-1) !== 'COMMIT') throw new Error('a statement of the transaction had failed: nothing was committed');
}
