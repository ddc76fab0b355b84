import type { DataSource } from 'typeorm';

/** Where a database of the tests is. */
export function addressOf({ options }: DataSource): { connectionString: string } {
  if (options.type !== 'postgres' || options.url === undefined) throw new TypeError('a database without an address');
  return { connectionString: options.url };
}
