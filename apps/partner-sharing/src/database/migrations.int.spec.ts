import { randomUUID } from 'node:crypto';
import { freshDatabase } from '@castiron/testing';
import type { QueryRunner } from 'typeorm';
import { expect, it } from 'vitest';
import { migrations } from './migrations.js';
import { RememberCancellationsOfMailings1763890000015 } from './migrations/0015-remember-cancellations-of-mailings.js';

it('whoever took mailings back before records told so is told of anew', async () => {
  const at = migrations.indexOf(RememberCancellationsOfMailings1763890000015);
  const database = await freshDatabase(migrations.slice(0, at));
  const [stopped, other] = [randomUUID(), randomUUID()];
  await database.query(
    `INSERT INTO recipients (slug, name, kind) VALUES ('notifications', 'Notifications', 'internal')`,
  );
  await database.query(
    `INSERT INTO shares (id, customer, recipient, subject, lane)
     SELECT gen_random_uuid(), customer, 'notifications', gen_random_uuid(), 3 FROM unnest($1::uuid[]) AS customer`,
    [[stopped, other]],
  );
  await database.query(
    `INSERT INTO permission_history (customer, recipient, purpose, version, state, statement_version, at)
     SELECT customer, 'notifications', 'mailing', version, state, 1, at
     FROM (VALUES ($1::uuid, 1, 'granted', timestamptz '2026-11-01'), ($1, 2, 'revoked', '2026-11-02'),
                  ($1, 3, 'granted', '2026-11-03'), ($2, 1, 'granted', '2026-11-01')) AS h (customer, version, state, at)`,
    [stopped, other],
  );
  const runner = { query: (statements: string) => database.query(statements) } as QueryRunner;
  await new RememberCancellationsOfMailings1763890000015().up(runner);
  expect(await database.query('SELECT customer, mailing_cancelled_at AS at FROM shares ORDER BY at')).toEqual([
    { customer: stopped, at: new Date('2026-11-02') },
    { customer: other, at: null },
  ]);
  const pending = 'SELECT s.customer, p.cause FROM pending_releases p JOIN shares s ON s.id = p.share';
  expect(await database.query(pending)).toEqual([{ customer: stopped, cause: 'resync-requested' }]);
  await database.destroy();
});
