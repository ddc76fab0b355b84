import { generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestIssuer, type TestIssuer } from './testing/issuer.js';
import { TokenVerifier } from './token-verifier.js';

let idp: TestIssuer;
let verifier: TokenVerifier;

beforeAll(async () => {
  idp = await startTestIssuer();
  verifier = new TokenVerifier({ issuer: idp.issuer });
});
afterAll(() => idp.close());

const claims = () => ({
  iss: idp.issuer,
  aud: 'castiron',
  sub: 'x',
  roles: ['support'],
  exp: Math.floor(Date.now() / 1_000) + 300,
});

describe('a token', () => {
  it('that is good tells who calls', async () => {
    expect(await verifier.verify(await idp.mint(['support', 'auditor'], 'anna'))).toEqual({
      sub: 'anna',
      roles: ['support', 'auditor'],
    });
  });

  it('gives only roles that exist, and never the public one', async () => {
    expect(await verifier.verify(await idp.mint(['root', 'public', 'partner'], 'p1'))).toEqual({
      sub: 'p1',
      roles: ['partner'],
    });
  });

  it.each([
    ['has expired', () => idp.mint('support', 'x', { expiresIn: -60 })],
    ['is for somebody else', () => idp.mint('support', 'x', { audience: 'another' })],
    ['is for nobody', () => idp.mint('support', 'x', { without: 'aud' })],
    ['comes from another issuer', () => idp.mint('support', 'x', { issuer: 'http://evil.example' })],
    ['never expires', () => idp.mint('support', 'x', { without: 'exp' })],
    ['names nobody', () => idp.mint('support', 'x', { without: 'sub' })],
    [
      'is signed with another key',
      async () => idp.mint('support', 'x', { key: (await generateKeyPair('ES256')).privateKey }),
    ],
    ['is not signed (alg none)', () => Promise.resolve(new UnsecuredJWT(claims()).encode())],
    [
      'is signed with HMAC',
      () => new SignJWT(claims()).setProtectedHeader({ alg: 'HS256', kid: 'key-1' }).sign(Buffer.alloc(32, 1)),
    ],
    ['is no token', () => Promise.resolve('abc')],
    ['was cut', async () => (await idp.mint('support', 'x')).slice(0, -10)],
  ])('that %s is refused', async (_name, make) => {
    await expect(verifier.verify(await make())).rejects.toMatchObject({
      refusal: { kind: 'unauthenticated', code: 'invalid-token' },
    });
  });

  it('is not blamed for a provider that does not answer', async () => {
    const away = await startTestIssuer();
    const token = await away.mint('support', 'x');
    await away.close();
    const alone = new TokenVerifier({ issuer: away.issuer });
    await expect(alone.verify(token)).rejects.toMatchObject({
      refusal: { kind: 'unavailable', code: 'identity-provider-unavailable' },
    });
  });
});
