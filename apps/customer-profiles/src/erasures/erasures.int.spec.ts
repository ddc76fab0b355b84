import { randomUUID } from 'node:crypto';
import { mintToken } from '@castiron/local-stack';
import { freshDatabase } from '@castiron/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { keyStoreMigrations } from '../migrations.js';
import { databaseMigrations, ProfilesRig } from '../testing/profiles.rig.js';

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

const erase = (customer: string, as: readonly [string, string] = ['customer', customer]) =>
  rig.call({ method: 'POST', path: `/customers/${customer}/erasure`, as });
const asked = (path: string, as: readonly [string, string]) => rig.call({ path, as });
const keysOf = async (customer: string): Promise<number> =>
  (await rig.keyStore.query<unknown[]>('SELECT FROM customer_keys WHERE customer = $1', [customer])).length;
const valuesOf = async (customer: string): Promise<number> =>
  (await rig.database.query<unknown[]>('SELECT FROM attribute_values WHERE customer = $1', [customer])).length;

describe('an erasure', () => {
  it('leaves no value and no key, and says so to all others', async () => {
    const customer = await rig.registered();
    const answer = await erase(customer);
    const { command } = answer.body;
    expect(answer).toMatchObject({ status: 202, body: { state: 'waiting', poll: `/commands/${command}` } });
    expect([await valuesOf(customer), await keysOf(customer)]).toEqual([0, 0]);
    expect((await rig.profilesOf(customer)).at(-1)).toBeNull();
    expect(await rig.published('customers.erasures.v1', customer)).toMatchObject([{ customer, command }]);
    for (const path of [`/customers/${customer}`, `/customers/${randomUUID()}`])
      expect((await asked(path, ['support', 's'])).status).toBe(404);
    const headers = { 'if-match': '"v2"' };
    const changing = { method: 'PATCH', path: `/customers/${customer}/attributes`, body: { phone: '1' }, headers };
    expect((await rig.call({ ...changing, as: ['customer', customer] })).status).toBe(404);
  });

  it('is done once its fence stands, whoever asks again', async () => {
    const customer = await rig.registered();
    const { command, poll } = (await erase(customer, ['privacy-officer', 'officer'])).body;
    expect((await asked(poll, ['customer', customer])).body).toMatchObject({ kind: 'erasure', state: 'waiting' });
    await rig.fenceStands(customer, command);
    expect((await asked(poll, ['customer', customer])).body).toMatchObject({ state: 'done' });
    expect(await erase(customer)).toMatchObject({ status: 202, body: { command, state: 'done' } });
    expect(await rig.published('customers.erasures.v1', customer)).toHaveLength(1);
  });

  it("is the customer's own and the privacy officer's to ask for, of somebody who is there", async () => {
    const customer = await rig.registered();
    for (const as of [
      ['customer', randomUUID()],
      ['support', 's'],
      ['partner', 'p'],
      ['service', 'portal'],
    ] as const)
      expect((await erase(customer, as)).status, as[0]).toBe(403);
    expect((await erase(randomUUID(), ['privacy-officer', 'o'])).status).toBe(404);
    expect(await valuesOf(customer)).toBeGreaterThan(0);
    const { poll } = (await erase(customer)).body;
    expect((await asked(poll, ['customer', randomUUID()])).status).toBe(404);
  });

  it('stands where the key store is away, and its keys go later', async () => {
    const customer = await rig.registered();
    await rig.keyStore.query('ALTER TABLE customer_keys RENAME TO away');
    const { command } = (await erase(customer)).body;
    await rig.keyStore.query('ALTER TABLE away RENAME TO customer_keys');
    await rig.fenceStands(customer, command);
    expect((await asked(`/commands/${command}`, ['customer', customer])).body).toMatchObject({ state: 'waiting' });
    expect([await valuesOf(customer), await keysOf(customer)]).toEqual([0, 1]);
    await rig.destroyKeys();
    expect(await keysOf(customer)).toBe(0);
    expect((await asked(`/commands/${command}`, ['customer', customer])).body).toMatchObject({ state: 'done' });
  });
});

describe('the withdrawal of an attribute', () => {
  it('is done once its fence stands, or that of a later command of the customer', async () => {
    const [customer, other] = [await rig.registered(), await rig.registered()];
    const change = (attributes: object, version: number) =>
      rig.call({
        method: 'PATCH',
        path: `/customers/${customer}/attributes`,
        as: ['customer', customer],
        body: attributes,
        headers: { 'if-match': `"v${version}"` },
      });
    const first = await change({ phone: null }, 1);
    expect(first.status).toBe(202);
    expect((await change({ phone: '777' }, 2)).status).toBe(200);
    const second = await change({ phone: null, companyName: 'New Ltd' }, 3);
    // A reader that comes late finds the last version alone.
    expect((await rig.profilesOf(customer)).map(({ withdrawal }) => withdrawal)).toEqual([
      undefined,
      first.body.command,
      first.body.command,
      second.body.command,
    ]);
    const stateOf = async ({ body }: typeof first) =>
      ((await asked(body.poll, ['customer', customer])).body as unknown as { state: string }).state;
    await rig.fenceStands(other, first.body.command);
    expect(await stateOf(first)).toBe('waiting');
    await rig.fenceStands(customer, second.body.command);
    expect([await stateOf(first), await stateOf(second)]).toEqual(['done', 'done']);
  });
});
