import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { mintToken } from '@castiron/local-stack';
import { outboxMigrations } from '@castiron/outbox';
import { idempotencyMigrations } from '@castiron/service';
import { freshDatabase, uniqueSlug } from '@castiron/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { migrations } from '../database/migrations.js';
import { officer, RoutesRig } from '../testing/routes.rig.js';

let rig: RoutesRig;
beforeAll(async () => {
  const database = await freshDatabase([...migrations, ...outboxMigrations, ...idempotencyMigrations]);
  const stack = inject('stack');
  rig = new RoutesRig(database, stack, (who) => mintToken(stack.identity, ...who), uniqueSlug);
  await rig.start();
});
afterAll(() => rig?.stop());

describe('a recipient', () => {
  it('is registered, prepared on the broker, watched, and read', async () => {
    const slug = await rig.newRecipient('network-member');
    expect(rig.watched).toContain(slug);
    const known = { slug, name: 'Some Partner', kind: 'network-member', purposes: null, provisioned: true };
    expect((await rig.call('GET', `/recipients/${slug}`, ['customer', randomUUID()])).body).toEqual(known);
    expect((await rig.call('GET', '/recipients', ['auditor', 'auditor-1'])).body['recipients']).toContainEqual(known);
    expect((await rig.call('GET', `/recipients/${uniqueSlug()}`, officer)).status).toBe(404);
    expect(await rig.sweepsOf(slug)).toEqual([]);
  });

  it.each([
    ['name', { name: 'Acorn \u202egnp' }],
    ['name', { name: 'Two\u2028lines' }],
    ['slug', { slug: 'importer' }],
    ['slug', { slug: 'portal' }],
  ])('is refused for a %s that could pass for another', async (field, over) => {
    const body = { slug: uniqueSlug(), name: 'Some Partner', kind: 'third-party', ...over };
    expect(await rig.call('POST', '/recipients', officer, body)).toMatchObject({
      status: 400,
      body: { field, promise: 'P8' },
    });
  });

  it('is registered once', async () => {
    const slug = await rig.newRecipient();
    const again = { slug, name: 'Some Partner', kind: 'third-party' };
    expect(await rig.call('POST', '/recipients', officer, again)).toMatchObject({
      status: 409,
      body: { code: 'recipient-exists', field: 'slug' },
    });
  });

  it('is prepared again by the same registration after the broker was away', async () => {
    const slug = uniqueSlug();
    const wanted = { slug, name: 'Late Ltd', kind: 'third-party' };
    const headers = { 'idempotency-key': randomUUID() };
    rig.broker.isAway = true;
    expect(await rig.call('POST', '/recipients', officer, wanted, headers)).toMatchObject({
      status: 503,
      body: { code: 'broker-unavailable' },
    });
    expect((await rig.call('GET', `/recipients/${slug}`, officer)).body).toMatchObject({ provisioned: false });
    expect((await rig.call('POST', `/recipients/${slug}/credentials`, officer)).status).toBe(409);
    rig.broker.isAway = false;
    expect((await rig.call('POST', '/recipients', officer, { ...wanted, name: 'Other' })).status).toBe(409);
    expect(await rig.call('POST', '/recipients', officer, wanted, headers)).toMatchObject({
      status: 201,
      body: { provisioned: true },
    });
  });

  it('inside the house names its purposes, and its shares are made', async () => {
    const slug = uniqueSlug();
    const body = {
      slug,
      name: 'Analysis',
      kind: 'internal',
      purposes: [{ purpose: 'security', attributes: ['email'] }],
    };
    expect(await rig.call('POST', '/recipients', officer, body)).toMatchObject({
      status: 201,
      body: { purposes: body.purposes },
    });
    expect(await rig.sweepsOf(slug)).toEqual([{ kind: 'make-shares', cause: 'recipient-registered' }]);
    expect(await rig.draft(slug)).toMatchObject({ status: 400, body: { code: 'recipient-internal', promise: 'P8' } });
  });

  it.each([
    ['a slug with a dot', { slug: 'p1.eu' }, 'slug'],
    ['an unknown kind', { kind: 'friend' }, 'kind'],
    ['a name of two lines', { name: 'a\nb' }, 'name'],
    ['purposes of a partner', { purposes: [{ purpose: 'security', attributes: ['email'] }] }, 'purposes'],
    ['an unknown field', { colour: 'red' }, 'colour'],
  ])('is refused with %s', async (_what, change, field) => {
    const body = { slug: uniqueSlug(), name: 'Some Partner', kind: 'third-party', ...change };
    expect(await rig.call('POST', '/recipients', officer, body)).toMatchObject({ status: 400, body: { field } });
  });

  it('gets credentials from the privacy officer only, and a new password each time', async () => {
    const path = `/recipients/${await rig.newRecipient()}/credentials`;
    const [one, other] = [await rig.call('POST', path, officer), await rig.call('POST', path, officer)];
    expect(one).toMatchObject({ status: 201, body: { username: path.split('/')[2] } });
    expect(String(one.body['password'])).toMatch(/^[\w-]{43}$/);
    expect(other.body['password']).not.toBe(one.body['password']);
    expect((await rig.call('POST', path, ['support', 'support-1'])).status).toBe(403);
    expect((await rig.call('POST', `/recipients/${uniqueSlug()}/credentials`, officer)).status).toBe(404);
  });

  it('that is a principal of the house gets none', async () => {
    const purposes = [{ purpose: 'notices', attributes: ['email'] }];
    const body = { slug: 'notifications', name: 'Notifications', kind: 'internal', purposes };
    expect((await rig.call('POST', '/recipients', officer, body)).status).toBe(201);
    expect(await rig.call('POST', '/recipients/notifications/credentials', officer)).toMatchObject({ status: 409 });
  });
});
