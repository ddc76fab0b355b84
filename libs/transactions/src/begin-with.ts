import type { DataSource, EntityManager, QueryRunner } from 'typeorm';

/**
 * As `dataSource.transaction('READ COMMITTED', work)`, with a first statement that has no parameters. What TypeORM says to
 * begin with, one statement and one answer at a time, goes along with that, each still a statement of its own.
 */
export async function beginWith<T>(
  dataSource: DataSource,
  first: string,
  work: (manager: EntityManager) => Promise<T>,
): Promise<T> {
  // eslint-disable-next-line no-restricted-syntax -- dataSource.transaction() would begin before anything can be said; it is released below
  const runner = dataSource.createQueryRunner();
  const beginning: string[] = [];
  runner.query = ((statement: string) => Promise.resolve(beginning.push(statement))) as unknown as QueryRunner['query'];
  try {
    return await runner.manager.transaction('READ COMMITTED', async (manager) => {
      Reflect.deleteProperty(runner, 'query');
      await manager.query([...beginning, first].join('; '));
      return work(manager);
    });
  } finally {
    await runner.release();
  }
}
