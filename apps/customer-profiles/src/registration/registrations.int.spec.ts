import { randomUUID } from 'node:crypto';
import { attributeAad, open } from '@castiron/encryption';
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

describe('a registration', () => {
  it('is answered with the customer and an ETag, and published sealed with the change', async () => {
    const answer = await rig.call({
      method: 'POST',
      path: '/registrations/service-order',
      body: { attributes: order },
    });
    expect(answer).toMatchObject({ status: 201, body: { version: 1 } });
    expect(answer.headers.get('etag')).toBe('"v1"');
    const { customer } = answer.body;
    const [event, ...more] = await rig.profilesOf(customer);
    expect(more).toEqual([]);
    expect(event).toMatchObject({
      customer,
      version: 1,
      door: 'service-order',
      purposes: ['invoicing', 'service-delivery', 'security', 'notices'],
      origin: 'registered',
      statementVersion: 1,
    });
    expect(JSON.stringify(event)).not.toContain('Example');
    const keys = (await rig.custodyClient().keysOf([customer])).get(customer);
    const sealed = Buffer.from(event?.attributes.companyName?.sealed ?? '', 'base64');
    expect(open(keys?.dataKey as Buffer, sealed, attributeAad(customer, 'companyName', 1)).toString()).toBe(
      'Example Ltd',
    );
  });

  it('has three doors, and makes a new customer at each (P12)', async () => {
    const applicant = await rig.registered({ contactName: 'A. Person', email: 'a@example.com' }, 'job-application');
    const subscriber = await rig.registered({ email: 'a@example.com' }, 'subscription');
    const customer = await rig.registered({ ...order, contactName: 'A. Person', email: 'a@example.com' });
    expect(new Set([applicant, subscriber, customer]).size).toBe(3);
    expect((await rig.profilesOf(subscriber))[0]?.purposes).toEqual(['mailing', 'notices']);
  });

  it.each(['constructor', 'prototype', 'toString'])('has no attribute %s (P1)', async (name) => {
    const attributes = { ...order, [name]: 'x' };
    expect(
      await rig.call({ method: 'POST', path: '/registrations/service-order', body: { attributes } }),
    ).toMatchObject({
      status: 400,
      body: { code: 'attribute-unknown', field: `attributes.${name}`, promise: 'P1' },
    });
  });

  it('comes through the portal alone', async () => {
    for (const sub of ['recommendations', 'partner-sharing', 'importer']) {
      const [path, body] = ['/registrations/service-order', { attributes: order }];
      expect(await rig.call({ method: 'POST', path, as: ['service', sub], body })).toMatchObject({
        status: 403,
        body: { code: 'service-not-named', promise: 'P8' },
      });
    }
  });

  it('is refused by name without a compulsory attribute, and leaves nothing behind (P1)', async () => {
    const { registeredAddress: _left, ...rest } = order;
    const keysBefore = await rig.keyStore.query(`SELECT count(*) FROM customer_keys`);
    const answer = await rig.call({ method: 'POST', path: '/registrations/service-order', body: { attributes: rest } });
    expect(answer).toMatchObject({
      status: 400,
      body: { code: 'compulsory-attribute-missing', field: 'attributes.registeredAddress', promise: 'P1' },
    });
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(await rig.keyStore.query(`SELECT count(*) FROM customer_keys`)).toEqual(keysBefore);
  });

  it.each([
    { ...order, companyName: 'a\u0007b' },
    { ...order, companyName: 'a\nb' },
    { ...order, shoeSize: '9' },
    { ...order, curriculumVitae: 'x' },
  ])('names the attribute that is not as it should be', async (attributes) => {
    const answer = await rig.call({ method: 'POST', path: '/registrations/service-order', body: { attributes } });
    expect(answer.status).toBe(400);
    expect(answer.body.field).toMatch(/^attributes\./);
  });

  it.each([undefined, [], { attributes: [] }, { attributes: 'x' }, { attributes: {}, more: 1 }])(
    'is refused with 400 as %j',
    async (body) => {
      expect((await rig.call({ method: 'POST', path: '/registrations/service-order', body })).status).toBe(400);
    },
  );

  it('is made once however often it is asked with one Idempotency-Key', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const ask = (attributes: Record<string, unknown>) =>
      rig.call({ method: 'POST', path: '/registrations/service-order', body: { attributes }, headers });
    const [first, again] = [await ask(order), await ask(order)];
    expect(again.status).toBe(first.status);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('etag')).toBe('"v1"');
    expect((await ask({ ...order, companyName: 'Other Ltd' })).status).toBe(422);
  });

  it('is for services only', async () => {
    for (const role of ['customer', 'support', 'partner']) {
      const answer = await rig.call({
        method: 'POST',
        path: '/registrations/subscription',
        as: [role, 'x'],
        body: { attributes: {} },
      });
      expect(answer.status).toBe(403);
    }
  });
});
