import type { PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import { PostgresQueryRunner } from 'typeorm/driver/postgres/PostgresQueryRunner.js';

/**
 * TypeORM's runner, with a way to its connection that leaves nothing behind: TypeORM's own writes the function that releases
 * it where it is given to a property, so that V8 makes it in the old heap and all of the runner stays with it (ADR 0036).
 */
export class TransactionRunner extends PostgresQueryRunner {
  constructor(dataSource: DataSource) {
    super(dataSource.driver as PostgresDriver, 'master');
    // It makes itself this runner's manager.
    dataSource.createEntityManager(this);
  }

  override connect(): Promise<PoolClient> {
    return (this.databaseConnectionPromise ??= this.obtain()) as Promise<PoolClient>;
  }

  /** One that breaks is given back at once, for the pool to throw away. */
  private async obtain(): Promise<PoolClient> {
    const [connection, release] = (await this.driver.obtainMasterConnection()) as [PoolClient, (error?: Error) => void];
    let failed: Error | undefined;
    const broken = (error: Error): void => {
      failed = error;
      void this.release();
    };
    const released = (): void => {
      connection.removeListener('error', broken);
      release(failed);
    };
    connection.on('error', broken);
    this.driver.connectedQueryRunners.push(this);
    this.releaseCallback = released;
    return (this.databaseConnection = connection);
  }
}
