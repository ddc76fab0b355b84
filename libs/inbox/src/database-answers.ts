import { setTimeout as wait } from 'node:timers/promises';
import { DataSource } from 'typeorm';

/** A database that takes longer is away. */
const ANSWERS_MS = 5_000;

/**
 * Whether the database answers, on a connection of its own: the pool of a busy service may have none to give, and that
 * says nothing of the database.
 */
export async function databaseAnswers({ options }: DataSource): Promise<boolean> {
  const own = new DataSource({ ...options, entities: [], migrations: [] });
  // To connect is to ask: for its version, and for what it is connected to.
  const asked = own.initialize().then(
    () => {
      own.destroy().catch(() => undefined);
      return true;
    },
    () => false,
  );
  return Promise.race([asked, wait(ANSWERS_MS, false, { ref: false })]);
}
