import { randomUUID } from 'node:crypto';
import { mintToken } from '@castiron/local-stack';
import { freshDatabase } from '@castiron/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { keyStoreMigrations } from '../../migrations.js';
import { databaseMigrations, ProfilesRig } from '../../testing/profiles.rig.js';

let rig: ProfilesRig;
beforeAll(async () => {
  const { identity } = inject('stack');
  rig = await ProfilesRig.start({
    database: await freshDatabase(databaseMigrations),
    keyStore: await freshDatabase(keyStoreMigrations),
    oidcIssuer: identity.issuer,
    tokenOf: (role, sub) => mintToken(identity, role, sub),
  });
});
afterAll(() => rig.stop());

describe('keys', () => {
  it.each([
    ['service', 'portal'],
    ['support', 'partner-sharing'],
    ['partner', 'partner-sharing'],
    ['customer', 'partner-sharing'],
  ])('are not handed to %s %s', async (role, sub) => {
    const answer = await rig.call({
      method: 'POST',
      path: '/internal/keys',
      as: [role, sub],
      body: { customers: [await rig.registered()] },
    });
    expect(answer.status).toBe(403);
    expect(JSON.stringify(answer.body)).not.toContain('dataKey');
  });

  it('are handed to partner-sharing in batches, leaving out who is unknown', async () => {
    const customer = await rig.registered();
    const unknown = Array.from({ length: 999 }, () => randomUUID());
    expect([...(await rig.custodyClient().keysOf([customer, ...unknown])).keys()]).toEqual([customer]);
  });

  it('are handed out though those of another customer of the batch cannot be opened', async () => {
    const [customer, damaged] = [await rig.registered(), await rig.registered()];
    await rig.keyStore.query(`UPDATE customer_keys SET wrapped_ledger_key = '' WHERE customer = $1`, [damaged]);
    expect([...(await rig.custodyClient().keysOf([damaged, customer])).keys()]).toEqual([customer]);
  });

  it('are in no answer that is kept', async () => {
    const answer = await rig.call({
      method: 'POST',
      path: '/internal/keys',
      as: ['service', 'partner-sharing'],
      body: { customers: [await rig.registered()] },
      headers: { 'idempotency-key': randomUUID() },
    });
    expect(answer).toMatchObject({ status: 400, body: { code: 'answer-never-kept' } });
    expect(await rig.database.query('SELECT FROM http_idempotency')).toEqual([]);
  });
});
