import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';

/** A small issuer with a real key pair: discovery and keys over HTTP, tokens on demand. For specs. */
export interface TestIssuer {
  readonly issuer: string;
  /** A token as the provider would give it; `change` makes it a bad one. */
  mint(role: string | readonly string[], sub: string, change?: TokenChange): Promise<string>;
  close(): Promise<void>;
}

export interface TokenChange {
  readonly audience?: string;
  readonly issuer?: string;
  /** Seconds from now. */
  readonly expiresIn?: number;
  readonly key?: CryptoKey;
  /** Not set at all, rather than to something else. */
  readonly without?: 'exp' | 'sub' | 'aud';
}

const KEY_ID = 'key-1';

export async function startTestIssuer(): Promise<TestIssuer> {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const jwk = { ...(await exportJWK(publicKey)), kid: KEY_ID, alg: 'ES256', use: 'sig' };
  let issuer = '';
  const server: Server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    if (request.url === '/.well-known/openid-configuration')
      response.end(JSON.stringify({ issuer, jwks_uri: `${issuer}/jwks`, token_endpoint: `${issuer}/token` }));
    else if (request.url === '/jwks') response.end(JSON.stringify({ keys: [jwk] }));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    issuer,
    mint(role, sub, change = {}) {
      const now = Math.floor(Date.now() / 1_000);
      const token = new SignJWT({ roles: [role].flat() })
        .setProtectedHeader({ alg: 'ES256', kid: KEY_ID })
        .setIssuedAt(now)
        .setIssuer(change.issuer ?? issuer);
      if (change.without !== 'aud') token.setAudience(change.audience ?? 'castiron');
      if (change.without !== 'sub') token.setSubject(sub);
      if (change.without !== 'exp') token.setExpirationTime(now + (change.expiresIn ?? 300));
      return token.sign(change.key ?? privateKey);
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
