import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { startTestIssuer } from './testing/issuer.js';
import { clientCredentials, tokenEndpointOf } from './client-credentials.js';

const servers: Server[] = [];
afterEach(() => servers.splice(0).forEach((server) => server.close()));

async function tokenEndpoint(
  answer: (asked: number) => { status: number; body: object },
): Promise<{ url: string; asked: () => number; seen: string[] }> {
  let asked = 0;
  const seen: string[] = [];
  const server = createServer((request, response) => {
    asked += 1;
    seen.push(request.headers.authorization ?? '');
    const { status, body } = answer(asked);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`, asked: () => asked, seen };
}

describe('a service token', () => {
  it('is asked for once, however many need it at the same time', async () => {
    const endpoint = await tokenEndpoint((asked) => ({
      status: 200,
      body: { access_token: `t${asked}`, expires_in: 300 },
    }));
    const token = clientCredentials({ tokenUrl: endpoint.url, clientId: 'a:b', clientSecret: 's%' });
    expect(await Promise.all([token(), token(), token()])).toEqual(['t1', 't1', 't1']);
    expect(await token()).toBe('t1');
    expect(endpoint.asked()).toBe(1);
    expect(endpoint.seen[0]).toBe(`Basic ${Buffer.from('a%3Ab:s%25').toString('base64')}`);
  });

  it('is asked for again once it has ended', async () => {
    const endpoint = await tokenEndpoint((asked) => ({
      status: 200,
      body: { access_token: `t${asked}`, expires_in: 0 },
    }));
    const token = clientCredentials({ tokenUrl: endpoint.url, clientId: 'a', clientSecret: 's' });
    expect([await token(), await token()]).toEqual(['t1', 't2']);
  });

  it('that is refused may come later, and the error holds no secret', async () => {
    const endpoint = await tokenEndpoint((asked) =>
      asked === 1
        ? { status: 500, body: { hint: 's3cret' } }
        : { status: 200, body: { access_token: 't', expires_in: 60 } },
    );
    const token = clientCredentials({ tokenUrl: endpoint.url, clientId: 'a', clientSecret: 's3cret' });
    const error: unknown = await token().catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: 'Retryable' });
    expect(String(error)).not.toContain('s3cret');
    expect(await token()).toBe('t');
  });

  it('may come later too where something else answers for the provider', async () => {
    const server = createServer((_request, response) => response.end('<html>s3cret</html>'));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const tokenUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
    const token = clientCredentials({ tokenUrl, clientId: 'a', clientSecret: 's3cret' });
    await expect(token()).rejects.toMatchObject({ name: 'Retryable' });
  });

  it('finds its endpoint by the issuer alone', async () => {
    const idp = await startTestIssuer();
    expect(await tokenEndpointOf(idp.issuer)()).toBe(`${idp.issuer}/token`);
    await idp.close();
    await expect(tokenEndpointOf(idp.issuer)()).rejects.toMatchObject({ name: 'Retryable' });
  });
});
