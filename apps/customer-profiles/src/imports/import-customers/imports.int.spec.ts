import { mintToken } from '@castiron/local-stack';
import { freshDatabase } from '@castiron/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { keyStoreMigrations } from '../../migrations.js';
import { databaseMigrations, order, ProfilesRig } from '../../testing/profiles.rig.js';

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

describe('an import', () => {
  it('does not lose good rows to one with control characters', async () => {
    const rows = [
      { key: 'a', attributes: order },
      { key: 'b', attributes: { ...order, companyName: 'x\u0000' } },
      { key: 'c', attributes: order },
    ];
    const answer = await rig.call({
      method: 'POST',
      path: '/imports/customers',
      as: ['service', 'importer'],
      body: { door: 'service-order', rows },
    });
    expect(answer.status).toBe(200);
    expect(answer.body.rows.map(({ outcome }) => outcome)).toEqual(['created', 'refused', 'created']);
    const [event] = await rig.profilesOf(answer.body.rows[0]?.customer ?? '');
    expect(event?.origin).toBe('imported');
  });

  it('takes 500 rows a call', async () => {
    const rows = Array<unknown>(501).fill({});
    const answer = await rig.call({
      method: 'POST',
      path: '/imports/customers',
      body: { door: 'service-order', rows },
    });
    expect(answer).toMatchObject({ status: 400, body: { field: 'rows' } });
  });
});
