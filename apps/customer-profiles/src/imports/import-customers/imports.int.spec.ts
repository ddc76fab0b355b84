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
      as: ['service', 'importer'],
      body: { door: 'service-order', rows },
    });
    expect(answer).toMatchObject({ status: 400, body: { field: 'rows' } });
  });

  it('is refused whole where a row would break whoever walks it, naming the row', async () => {
    let deep: unknown = 'x';
    for (let level = 0; level < 3_000; level += 1) deep = [deep];
    const importing = (row: unknown, as: readonly [string, string], headers?: Record<string, string>) =>
      rig.call({
        method: 'POST',
        path: '/imports/customers',
        as,
        body: { door: 'service-order', rows: [{ key: 'd', attributes: order }, row] },
        ...(headers && { headers }),
      });
    const refused = { status: 400, body: { code: 'too-deep', field: 'rows.1', promise: 'P7' } };
    expect(await importing(deep, ['service', 'importer'])).toMatchObject(refused);
    expect(await importing(deep, ['service', 'importer'], { 'idempotency-key': 'deep' })).toMatchObject(refused);
    const odd = { key: 'e', attributes: { ...order, constructor: 'x' } };
    expect(await importing(odd, ['service', 'importer'])).toMatchObject({
      status: 400,
      body: { code: 'attribute-unknown', field: 'rows.1.attributes.constructor', promise: 'P1' },
    });
    expect((await importing({}, ['service', 'portal'])).status).toBe(403);
  });
});
