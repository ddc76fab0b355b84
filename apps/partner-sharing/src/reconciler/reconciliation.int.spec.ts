import 'reflect-metadata';
import { mintToken } from '@castiron/local-stack';
import { outboxMigrations } from '@castiron/outbox';
import { idempotencyMigrations } from '@castiron/service';
import { freshDatabase, uniqueSlug } from '@castiron/testing';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { migrations } from '../database/migrations.js';
import { openIncidents } from '../incidents/incident.table.js';
import { officer, RoutesRig } from '../testing/routes.rig.js';

let rig: RoutesRig;
beforeAll(async () => {
  const database = await freshDatabase([...migrations, ...outboxMigrations, ...idempotencyMigrations]);
  const stack = inject('stack');
  rig = new RoutesRig(database, stack, (who) => mintToken(stack.identity, ...who), uniqueSlug);
  await rig.start();
});
afterAll(() => rig?.stop());

it('how feeds and ledger compare is shown to a privacy officer and an auditor, and to no others', async () => {
  await rig.database.query(
    `INSERT INTO feed_positions (topic, partition, next_offset, records, duplicates, groundless, fallen, unobserved)
     VALUES ('feeds.acme.v1', 0, 9, 3, 2, 1, 1, 3), ('feeds.acme.v1', 1, 4, 4, 0, 0, 0, 0), ('feeds.bolt.v1', 0, 1, 1, 0, 0, 0, 0)`,
  );
  await rig.database.query('UPDATE compared_entries SET next_index = 8, unobserved = 2');
  await rig.database.query(
    `INSERT INTO awaited_records (entry, index, topic) VALUES (gen_random_uuid(), 7, 'feeds.acme.v1')`,
  );
  await openIncidents(rig.database.manager, [
    { kind: 'disclosure-without-a-ground', cause: 'feeds.acme.v1, partition 0, offset 4: a rehearsal' },
    { kind: 'disclosure-without-a-ground', cause: 'feeds.acme.v1, partition 0, offset 4: a rehearsal' },
    { kind: 'version-fell', cause: 'feeds.acme.v1, partition 0, offset 5: a rehearsal' },
    { kind: 'ledger-forked', cause: 'a rehearsal' },
  ]);
  for (const as of [officer, ['auditor', 'auditor-1']] as const) {
    const { status, body } = await rig.call('GET', '/reconciliation', as);
    expect(status).toBe(200);
    expect(body).toEqual({
      feeds: [
        {
          recipient: 'acme',
          partitions: [
            {
              partition: 0,
              next: '9',
              readAt: expect.stringMatching(/Z$/),
              records: '3',
              duplicates: '2',
              groundless: '1',
              fallen: '1',
              unobserved: '3',
            },
            expect.objectContaining({ partition: 1, next: '4' }),
          ],
        },
        { recipient: 'bolt', partitions: [expect.objectContaining({ records: '1', unobserved: '0' })] },
      ],
      ledger: { comparedTo: '8', awaited: 1, unobserved: '2' },
      openIncidents: { 'disclosure-without-a-ground': 1, 'version-fell': 1 },
    });
  }
  for (const role of ['support', 'customer', 'partner'])
    expect((await rig.call('GET', '/reconciliation', [role, 'somebody'])).status).toBe(403);
});
