import { newEventId } from '@castiron/contracts';
import { describe, expect, it } from 'vitest';
import { Castiron, COMPANY } from '../support/castiron.js';

const castiron = new Castiron();
const portal = ['service', 'portal'] as const;
const officer = ['privacy-officer', 'officer'] as const;

function order(body: unknown, headers: Record<string, string> = {}) {
  return castiron.call('customer-profiles', 'POST', '/registrations/service-order', { as: portal, body, headers });
}

/** What an answer must say for a program to act on it, and a person to mend it. */
const problem = (status: number, code: string, more: Record<string, string> = {}) => ({
  status,
  body: { status, code, type: `urn:castiron:problem:${code}`, title: expect.any(String) as string, ...more },
});

describe('bad input gets a clear answer (RFC 9457)', () => {
  it('names an unknown purpose and an attribute that the purpose does not need', async () => {
    const partner = await castiron.registerPartner();
    const unknown = await castiron.draft(partner, [{ purpose: 'resale', attributes: ['companyName'] }]);
    expect(unknown).toMatchObject(problem(400, 'not-in-catalogue', { promise: 'P8' }));
    expect(unknown.body['field']).toMatch(/^terms\.purposes\.0/);
    const unneeded = await castiron.draft(partner, [{ purpose: 'security', attributes: ['vatNumber'] }]);
    expect(unneeded).toMatchObject(problem(400, 'not-in-catalogue', { promise: 'P8' }));
    expect(unneeded.body['detail']).toContain('vatNumber');
  });

  it('answers 428 without and 412 with a stale version', async () => {
    const customer = await castiron.registerCompany();
    const change = (headers: Record<string, string>) =>
      castiron.call('customer-profiles', 'PATCH', `/customers/${customer}/attributes`, {
        as: ['customer', customer],
        body: { companyName: 'Changed Ltd' },
        headers,
      });
    expect(await change({})).toMatchObject(problem(428, 'if-match-required'));
    expect(await change({ 'if-match': '"v99"' })).toMatchObject(problem(412, 'stale-version'));
    expect((await change({ 'if-match': await castiron.etagOf(customer) })).status).toBe(200);
  });

  it('answers 413 to a body over the limit and 400 to malformed JSON and control characters', async () => {
    const large = await order({ attributes: { ...COMPANY, servicesUsed: 'x'.repeat(2_000_000) } });
    expect(large).toMatchObject(problem(413, 'body-too-large', { field: 'body', promise: 'P7' }));
    const unclean = await order({ attributes: { ...COMPANY, companyName: 'a\u0000b' } });
    expect(unclean).toMatchObject(
      problem(400, 'control-characters', { field: 'attributes.companyName', promise: 'P7' }),
    );
    const url = `${castiron.endpoints.services['customer-profiles']?.url}/registrations/service-order`;
    const authorization = `Bearer ${castiron.endpoints.people['service']?.token}`;
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: '{',
    });
    expect(response.headers.get('content-type')).toContain('application/problem+json');
    expect({ status: response.status, body: await response.json() }).toMatchObject(
      problem(400, 'malformed-json', { field: 'body', promise: 'P7' }),
    );
  });

  it('gives a repeated request the same answer and one effect, and 422 to another body', async () => {
    const headers = { 'idempotency-key': newEventId() };
    const [first, second] = [
      await order({ attributes: COMPANY }, headers),
      await order({ attributes: COMPANY }, headers),
    ];
    expect(first.status).toBe(201);
    expect(second.body).toEqual(first.body);
    const other = await order({ attributes: { ...COMPANY, companyName: 'Other' } }, headers);
    expect(other).toMatchObject(problem(422, 'idempotency-key-reused'));
  });

  it('lets nobody in without a token, and no customer to another', async () => {
    const url = castiron.endpoints.services['partner-sharing']?.url;
    expect((await fetch(`${url}/recipients`)).status).toBe(401);
    const customer = await castiron.registerCompany();
    const other = await castiron.call('customer-profiles', 'GET', `/customers/${customer}`, {
      as: ['customer', newEventId()],
    });
    expect(other).toMatchObject(problem(403, 'not-your-data'));
    const drafted = await castiron.call('partner-sharing', 'POST', '/recipients', {
      as: ['customer', customer],
      body: {},
    });
    expect(drafted).toMatchObject(problem(403, 'role-not-allowed'));
  });

  it('lets a service of ours do only what names it', async () => {
    const customer = await castiron.registerCompany();
    const path = `/customers/${customer}/permissions/notifications/mailing`;
    const body = { how: 'portal', givenAt: new Date().toISOString(), statementVersion: 1 };
    const refused = problem(403, 'service-not-named', { promise: 'P8' });
    const as = ['service', 'recommendations'] as const;
    expect(await castiron.call('partner-sharing', 'PUT', path, { as, body })).toMatchObject(refused);
    expect(await castiron.call('partner-sharing', 'DELETE', path, { as })).toMatchObject(refused);
    const attributes = { ...COMPANY };
    expect(
      await castiron.call('customer-profiles', 'POST', '/registrations/service-order', { as, body: { attributes } }),
    ).toMatchObject(refused);
  });

  it('lets a partner sign for its own side only', async () => {
    const [partner, other] = [await castiron.registerPartner(), await castiron.registerPartner()];
    const drafted = await castiron.draft(partner, [{ purpose: 'security', attributes: ['companyName'] }]);
    const sign = (side: string, as: readonly [string, string]) =>
      castiron.call('partner-sharing', 'POST', `/agreements/${String(drafted.body['agreement'])}/signatures`, {
        as,
        body: { side, name: 'A Signer', role: 'Director' },
      });
    expect((await sign('company', ['partner', partner.slug])).status).toBe(403);
    expect((await sign('partner', ['partner', other.slug])).status).toBe(403);
    expect((await sign('partner', officer)).status).toBe(403);
  });
});
