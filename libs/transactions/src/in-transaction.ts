import type { Client } from 'pg';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import type { Statement } from './transaction.js';
import { together } from './together.js';

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
 * to each of two statements before it begins, one goes along with the first statements, and the commit with the last.
 */
export async function inTransaction<T>(
  dataSource: DataSource,
  { first, last }: Around,
  work: (manager: EntityManager) => Promise<T>,
): Promise<T> {
  // eslint-disable-next-line no-restricted-syntax -- dataSource.transaction() would begin before anything can be said; it is released below
  const runner = dataSource.createQueryRunner();
  const stopListening = listen(runner, () => Promise.resolve());
  try {
    return await runner.manager.transaction('READ COMMITTED', async (manager) => {
      stopListening();
      await beginWith(runner, first);
      const result = await work(manager);
      const ending = last();
      const stop = listen(runner, (statement, say) => {
        // A rollback, or what the work did not wait for.
        if (statement !== 'COMMIT') return say();
        stop();
        return commitWith(runner, ending);
      });
      return result;
    });
  } finally {
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
  says.query = (statement, ...more) => heard(statement, () => query.call(runner, statement, ...more));
  // Put back, not deleted: an object that lost a property is slow for good.
  return () => void (says.query = query);
}

async function beginWith(runner: QueryRunner, first: Statement | undefined): Promise<void> {
  await together((await runner.connect()) as Client, first === undefined ? [BEGIN] : [BEGIN, first]);
}

/**
 * What is written last takes the commit along.
 * @throws Error where a statement had failed and the work passed over it: there is nothing left to commit
 */
async function commitWith(runner: QueryRunner, last: Statement | undefined): Promise<void> {
  const tags = await together((await runner.connect()) as Client, last === undefined ? [COMMIT] : [last, COMMIT]);
  if (tags.at(-1) !== 'COMMIT') throw new Error('a statement of the transaction had failed: nothing was committed');
}
