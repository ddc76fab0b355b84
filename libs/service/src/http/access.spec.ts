import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestIssuer, type TestIssuer } from '@castiron/access/testing';
import { problem, ServiceRig } from '../testing/service.rig.js';

let idp: TestIssuer;
let rig: ServiceRig;

beforeAll(async () => {
  idp = await startTestIssuer();
  rig = new ServiceRig(idp.issuer, await idp.mint('support', 'anna'));
  await rig.start();
});
afterAll(async () => {
  await rig.service.stop();
  await idp.close();
});

describe('access', () => {
  it('is denied without a token', async () => {
    const answer = await rig.post({ name: 'a' }, { token: null });
    expect(answer).toMatchObject(problem(401, { code: 'token-required' }));
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="castiron"');
  });

  it.each([
    ['expired', () => idp.mint('support', 'x', { expiresIn: -60 })],
    ['for another audience', () => idp.mint('support', 'x', { audience: 'portal' })],
    [
      'unsigned',
      () =>
        Promise.resolve(
          `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify({ iss: idp.issuer, aud: 'castiron', sub: 'x', roles: ['support'], exp: 9e9 })).toString('base64url')}.`,
        ),
    ],
    ['no token at all', () => Promise.resolve('nonsense')],
  ])('is denied to a token that is %s', async (_name, make) => {
    const answer = await rig.post({ name: 'a' }, { token: await make() });
    expect(answer).toMatchObject(problem(401, { code: 'invalid-token' }));
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
  });

  it('is denied to another role, and a handler may be narrower than its controller', async () => {
    expect(await rig.post({ name: 'a' }, { token: await idp.mint('partner', 'p1') })).toMatchObject(
      problem(403, {
        code: 'role-not-allowed',
      }),
    );
    expect(await rig.call('/things/own')).toMatchObject(problem(403, { code: 'role-not-allowed' }));
  });

  it('is given to the services that a route names, and denied to all others', async () => {
    const by = async (sub: string, ...roles: string[]) =>
      rig.call('/things/for-the-portal', { token: await idp.mint(roles, sub) });
    expect(await by('portal', 'service')).toMatchObject({ status: 200, body: { roles: ['service'] } });
    const other = problem(403, { code: 'service-not-named', promise: 'P8' });
    expect(await by('recommendations', 'service')).toMatchObject(other);
    expect(await by('importer', 'service', 'support')).toMatchObject(other);
    expect(await by('portal', 'partner')).toMatchObject(problem(403, { code: 'role-not-allowed' }));
    expect(await by('recommendations', 'service', 'customer')).toMatchObject({ body: { roles: ['customer'] } });
  });

  it('is given to the declared role, which the handler then knows', async () => {
    const answer = await rig.post({ name: 'a' }, { headers: { 'x-correlation-id': 'test-0001' } });
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({ name: 'a', by: 'anna', correlation: 'test-0001' });
    expect(answer.headers.get('x-correlation-id')).toBe('test-0001');
  });

  it('is public for what stands in the closed list', async () => {
    for (const path of [
      '/health/live',
      '/health/ready',
      '/metrics',
      '/openapi.json',
      '/openapi',
      '/openapi/swagger-ui.css',
    ]) {
      expect((await rig.call(path, { token: null })).status, path).toBe(200);
    }
  });
});
