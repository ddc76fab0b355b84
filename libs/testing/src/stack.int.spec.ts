import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { DataSource } from 'typeorm';
import { freshDatabase } from './fresh-database.js';

describe('a stack for tests', () => {
  let database: DataSource;
  beforeAll(async () => {
    database = await freshDatabase([]);
  });
  afterAll(() => database.destroy());

  it('gives each file a database of its own', async () => {
    const rows: unknown = await database.query('SELECT current_database() AS name');
    expect(rows).toEqual([{ name: expect.stringMatching(/^test_/) as string }]);
  });

  it('names Kafka, PostgreSQL, the identity provider and the mail sink', () => {
    expect(inject('stack')).toMatchObject({
      kafka: { bootstrap: expect.stringContaining('127.0.0.1:'), principals: { admin: { username: 'admin' } } },
      postgres: { 'customer-profiles': expect.stringContaining('postgresql://') },
      identity: { issuer: expect.stringContaining('http://') },
      mail: { smtp: expect.stringContaining('smtp://') },
    });
  });
});
