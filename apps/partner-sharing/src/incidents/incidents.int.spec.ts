import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { mintToken } from '@castiron/local-stack';
import { outboxMigrations } from '@castiron/outbox';
import { idempotencyMigrations } from '@castiron/service';
import { freshDatabase, uniqueSlug } from '@castiron/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { migrations } from '../database/migrations.js';
import { officer, RoutesRig, type Who } from '../testing/routes.rig.js';
import { openIncident } from './incident.table.js';

let rig: RoutesRig;
beforeAll(async () => {
  const database = await freshDatabase([...migrations, ...outboxMigrations, ...idempotencyMigrations]);
  const stack = inject('stack');
  rig = new RoutesRig(database, stack, (who) => mintToken(stack.identity, ...who), uniqueSlug);
  await rig.start();
});
afterAll(() => rig?.stop());

const auditor: Who = ['auditor', 'auditor-1'];
const open = (cause: string) => openIncident(rig.database.manager, { kind: 'ledger-forked', cause });
async function listed(state: string, as = officer): Promise<Record<string, unknown>[]> {
  const { status, body } = await rig.call('GET', `/incidents?state=${state}`, as);
  expect(status).toBe(200);
  return body['incidents'] as Record<string, unknown>[];
}
const close = (id: unknown, as = officer, reason = 'It was a rehearsal.') =>
  rig.call('POST', `/incidents/${String(id)}/closing`, as, { reason });

describe('an incident', () => {
  it('is open until somebody says what came of it, and found again it is another one', async () => {
    expect([await open('the first 3 entries'), await open('the first 3 entries')]).toEqual([true, false]);
    const [found] = await listed('open', auditor);
    expect(found).toMatchObject({ kind: 'ledger-forked', cause: 'the first 3 entries', owner: 'privacy-officer' });
    expect((await close(found?.['incident'])).body).toMatchObject({ state: 'closed', closedBy: officer[1] });
    expect(await listed('open')).toEqual([]);
    const [closed] = await listed('closed');
    expect(closed).toMatchObject({ reason: 'It was a rehearsal.' });
    expect(Date.parse(String(closed?.['closedAt']))).toBeGreaterThan(Date.parse(String(closed?.['openedAt'])));
    expect(await open('the first 3 entries')).toBe(true);
  });

  it('is closed once, with a reason, by a privacy officer', async () => {
    await open('the first 5 entries');
    const found = (await listed('open')).find(({ cause }) => cause === 'the first 5 entries');
    expect((await close(found?.['incident'], auditor)).status).toBe(403);
    expect((await close(found?.['incident'], officer, '')).status).toBe(400);
    expect((await close(found?.['incident'])).status).toBe(200);
    expect((await close(found?.['incident'])).status).toBe(409);
    expect((await close(randomUUID())).status).toBe(404);
  });

  it('is shown to those who look after incidents, the oldest first', async () => {
    await open('the first 7 entries');
    await open('the first 9 entries');
    const causes = (await listed('open')).map(({ cause }) => cause);
    expect(causes.slice(-2)).toEqual(['the first 7 entries', 'the first 9 entries']);
    const { body } = await rig.call('GET', '/incidents?limit=1', auditor);
    expect(body['incidents']).toMatchObject([{ cause: causes[0] }]);
    for (const role of ['support', 'customer', 'partner'])
      expect((await rig.call('GET', '/incidents', [role, randomUUID()])).status).toBe(403);
  });
});
