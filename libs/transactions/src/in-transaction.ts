import type { Client } from 'pg';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import type { Statement } from './transaction.js';
import { withCommand } from './with-command.js';

const BEGIN = 'START TRANSACTION ISOLATION LEVEL READ COMMITTED';

/** What a transaction says without having to wait for an answer. */
export interface Around {
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
      const stop = listen(runner, (commit) => {
        stop();
        return commitWith(runner, ending, commit);
      });
      return result;
    });
  } finally {
    await runner.release();
  }
}

/** Hears what TypeORM says by itself instead of PostgreSQL. */
function listen(runner: QueryRunner, heard: (statement: string) => Promise<void>): () => void {
  runner.query = heard as unknown as QueryRunner['query'];
  return () => void Reflect.deleteProperty(runner, 'query');
}

async function beginWith(runner: QueryRunner, first: Statement | undefined): Promise<void> {
  const client = (await runner.connect()) as Client;
  await (first === undefined ? client.query(BEGIN) : withCommand(client, first, { before: BEGIN }));
}

/**
 * What is written last takes the commit along.
 * @throws Error where a statement had failed and the work passed over it: there is nothing left to commit
 */
async function commitWith(runner: QueryRunner, last: Statement | undefined, commit: string): Promise<void> {
  const client = (await runner.connect()) as Client;
  const answers =
    last === undefined ? [await client.query(commit)] : await withCommand(client, last, { after: commit });
  if (answers.at(-1)?.command !== commit)
    throw new Error('a statement of the transaction had failed: nothing was committed');
}
