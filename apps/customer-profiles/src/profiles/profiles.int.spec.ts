import { randomUUID } from 'node:crypto';
import { mintToken } from '@castiron/local-stack';
import { freshDatabase } from '@castiron/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { keyStoreMigrations } from '../migrations.js';
import { databaseMigrations, order, ProfilesRig } from '../testing/profiles.rig.js';

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

describe('a profile', () => {
  it('is read by its customer and by staff, and by no other customer', async () => {
    const customer = await rig.registered();
    const path = `/customers/${customer}`;
    const own = await rig.call({ path, as: ['customer', customer] });
    expect(own).toMatchObject({
      status: 200,
      body: { customer, version: 1, door: 'service-order', attributes: order },
    });
    expect(own.headers.get('etag')).toBe('"v1"');
    expect(
      (await rig.call({ path: path.toUpperCase().replace('/CUSTOMERS', '/customers'), as: ['support', 's'] })).status,
    ).toBe(200);
    expect((await rig.call({ path, as: ['customer', randomUUID()] })).status).toBe(403);
    expect((await rig.call({ path, as: ['partner', 'northern-hosting'] })).status).toBe(403);
    expect((await rig.call({ path: `/customers/${randomUUID()}`, as: ['support', 's'] })).status).toBe(404);
    expect((await rig.call({ path: '/customers/nobody', as: ['support', 's'] })).status).toBe(400);
  });

  it('is changed by who knows its version, and every change is published', async () => {
    const customer = await rig.registered();
    const change = (body: unknown, ifMatch?: string) =>
      rig.call({
        method: 'PATCH',
        path: `/customers/${customer}/attributes`,
        as: ['customer', customer],
        body,
        ...(ifMatch !== undefined && { headers: { 'if-match': ifMatch } }),
      });
    expect((await change({ companyName: 'New Ltd' })).status).toBe(428);
    expect((await change({ companyName: 'New Ltd' }, '"v2"')).status).toBe(412);
    expect((await change({ companyName: 'New Ltd' }, 'W/"v1"')).status).toBe(412);
    for (const malformed of ['v1', '', '"v1']) {
      expect(await change({ companyName: 'New Ltd' }, malformed)).toMatchObject({
        status: 400,
        body: { field: 'header if-match' },
      });
    }
    const changed = await change({ companyName: 'New Ltd', email: 'a@example.com', phone: null }, '"v1"');
    expect(changed).toMatchObject({ status: 202, body: { customer, version: 2 } });
    expect(changed.headers.get('etag')).toBe('"v2"');
    const { body } = await rig.call({ path: `/customers/${customer}`, as: ['customer', customer] });
    const { phone: _gone, ...rest } = order;
    expect(body).toMatchObject({ version: 2 });
    expect(body.attributes).toEqual({ ...rest, companyName: 'New Ltd', email: 'a@example.com' });

    const events = await rig.profilesOf(customer);
    expect(events.map(({ version }) => version)).toEqual([1, 2]);
    const versions = Object.entries(events[1]?.attributes ?? {}).map(([name, value]) => [name, value?.version]);
    expect(Object.fromEntries(versions)).toEqual({ companyName: 2, email: 2, servicesUsed: 1, registeredAddress: 1 });
  });

  it('loses a voluntary attribute when it is withdrawn, never a compulsory one (P1)', async () => {
    const customer = await rig.registered();
    const withdraw = (name: string, headers?: Record<string, string>) =>
      rig.call({
        method: 'DELETE',
        path: `/customers/${customer}/attributes/${name}`,
        as: ['customer', customer],
        ...(headers !== undefined && { headers }),
      });
    expect((await withdraw('phone')).status).toBe(428);
    expect(await withdraw('companyName', { 'if-match': '"v1"' })).toMatchObject({
      status: 422,
      body: { code: 'compulsory-attribute-withdrawn', field: 'companyName', promise: 'P1' },
    });
    const withdrawn = await withdraw('phone', { 'if-match': '"v1"' });
    expect(withdrawn).toMatchObject({ status: 202, body: { version: 2, poll: `/commands/${withdrawn.body.command}` } });
    const events = await rig.profilesOf(customer);
    expect(Object.keys(events.at(-1)?.attributes ?? {})).not.toContain('phone');
    // Nothing is left to withdraw: no version is used up, and nobody is told.
    expect(await withdraw('phone', { 'if-match': '"v2"' })).toMatchObject({ status: 200, body: { version: 2 } });
    expect(await rig.profilesOf(customer)).toHaveLength(2);
  });

  it('takes a change or a withdrawal of one version, not both', async () => {
    const customer = await rig.registered();
    const path = `/customers/${customer}/attributes`;
    const ask = { path, as: ['customer', customer] as const, headers: { 'if-match': '"v1"' } };
    const answers = await Promise.all([
      rig.call({ ...ask, method: 'PATCH', body: { phone: '777' } }),
      rig.call({ ...ask, method: 'DELETE', path: `${path}/phone` }),
    ]);
    // The change, or the withdrawal.
    expect(answers.map(({ status }) => status)).toEqual(answers[0]?.status === 200 ? [200, 412] : [412, 202]);
    const phone = (await rig.profilesOf(customer)).at(-1)?.attributes.phone;
    expect(phone !== undefined).toBe(answers[0]?.status === 200);
  });

  it('takes one of many changes made at once from the same version', async () => {
    const customer = await rig.registered();
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, at) =>
        rig.call({
          method: 'PATCH',
          path: `/customers/${customer}/attributes`,
          as: ['customer', customer],
          body: { companyName: `Company ${at}` },
          headers: { 'if-match': '"v1"' },
        }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(7).fill(412)]);
    expect(await rig.profilesOf(customer)).toHaveLength(2);
  });

  it('lies in the database sealed, and does not open for another customer', async () => {
    const [one, other] = [await rig.registered(), await rig.registered()];
    const rows: { sealed: Buffer }[] = await rig.database.query(
      `SELECT sealed FROM attribute_values WHERE customer = $1 AND name = 'companyName'`,
      [one],
    );
    const sealed = rows[0]?.sealed;
    expect(sealed?.includes('Example')).toBe(false);
    await rig.database.query(`UPDATE attribute_values SET sealed = $1 WHERE customer = $2 AND name = 'companyName'`, [
      sealed,
      other,
    ]);
    const answer = await rig.call({ path: `/customers/${other}`, as: ['support', 's'] });
    expect(answer.status).toBe(500);
    expect(JSON.stringify(answer.body)).not.toContain('Example');
  });
});
