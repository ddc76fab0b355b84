import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair, importJWK, SignJWT, type JWK } from 'jose';
import type { Adapter, AdapterPayload, Configuration, KoaContextWithOIDC } from 'oidc-provider';
import { keep, readKept } from './kept-json.js';

/** Who gets tokens of role `service` for itself, by client credentials: the name is the token's subject. */
const IDENTITY_CLIENTS = [
  'customer-profiles',
  'partner-sharing',
  'notifications',
  'recommendations',
  'portal',
  'importer',
] as const;

export interface Client {
  readonly id: string;
  readonly secret: string;
}

/** How to get tokens. `minting` is what opens the local-only grant of {@link mintToken}. */
export interface IdentityEndpoints {
  readonly issuer: string;
  /** The token endpoint. */
  readonly token: string;
  readonly minting: Client;
}

const AUDIENCE = 'castiron';
const MINT_GRANT = 'urn:castiron:local:mint';
const MINT_CLIENT = 'local-minting';
const TWELVE_HOURS_S = 43_200;
const SERVICE_TOKEN_S = 3_600;

/** The signing key of one data folder, kept so that tokens outlive a restart. */
async function signingKey(file: string): Promise<JWK> {
  const known = await readKept<JWK>(file);
  if (known !== undefined) return known;
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const key = { ...(await exportJWK(privateKey)), kid: randomUUID(), alg: 'RS256', use: 'sig' };
  await keep(file, key);
  return key;
}

/** Remembers in memory what the provider stores: tokens are self-contained here, so next to nothing. */
function memory(): Adapter {
  const entries = new Map<string, AdapterPayload>();
  return {
    upsert: async (id, payload) => void entries.set(id, payload),
    find: async (id) => entries.get(id),
    findByUid: async () => undefined,
    findByUserCode: async () => undefined,
    consume: async () => undefined,
    destroy: async (id) => void entries.delete(id),
    revokeByGrantId: async () => undefined,
  };
}

function configuration(key: JWK, clients: readonly Client[], minting: Client, secret: string): Configuration {
  const client = ({ id, secret }: Client, grants: string[]) => ({
    client_id: id,
    client_secret: secret,
    grant_types: grants,
    redirect_uris: [],
    response_types: [],
  });
  return {
    adapter: memory,
    jwks: { keys: [key] },
    cookies: { keys: [secret] },
    clients: [...clients.map((each) => client(each, ['client_credentials'])), client(minting, [MINT_GRANT])],
    ttl: { ClientCredentials: SERVICE_TOKEN_S },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => `urn:${AUDIENCE}`,
        getResourceServerInfo: () => ({
          audience: AUDIENCE,
          scope: '',
          accessTokenFormat: 'jwt',
          accessTokenTTL: SERVICE_TOKEN_S,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
    extraTokenClaims: () => ({ roles: ['service'] }),
  };
}

/** A real OpenID provider for this machine, with one grant that no other has: a token for any role and subject. */
export async function startIdentity(o: {
  port: number;
  keyFile: string;
  secretOf: (name: string) => string;
}): Promise<{ endpoints: IdentityEndpoints; clients: Record<string, Client>; stop(): Promise<void> }> {
  const { Provider, errors } = await import('oidc-provider');
  const issuer = `http://127.0.0.1:${o.port}`;
  const key = await signingKey(o.keyFile);
  const privateKey = await importJWK(key, 'RS256');
  const clients = IDENTITY_CLIENTS.map((id) => ({ id, secret: o.secretOf(id) }));
  const minting = { id: MINT_CLIENT, secret: o.secretOf(MINT_CLIENT) };
  const provider = new Provider(issuer, configuration(key, clients, minting, o.secretOf('cookies')));

  async function mint(ctx: KoaContextWithOIDC): Promise<void> {
    const { role, sub, ttl } = ctx.oidc.params as Record<string, string | undefined>;
    if (!role || !sub) throw new errors.InvalidRequest('role and sub are needed');
    const seconds = ttl === undefined ? TWELVE_HOURS_S : Number(ttl);
    if (!(seconds > 0 && seconds <= TWELVE_HOURS_S))
      throw new errors.InvalidRequest('ttl is seconds, 12 hours at most');
    const token = await new SignJWT({ roles: role.split(' '), client_id: MINT_CLIENT })
      .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: key.kid ?? '' })
      .setIssuer(issuer)
      .setAudience(AUDIENCE)
      .setSubject(sub)
      .setJti(randomUUID())
      .setIssuedAt()
      .setExpirationTime(`${seconds}s`)
      .sign(privateKey);
    ctx.body = { access_token: token, token_type: 'Bearer', expires_in: seconds };
  }
  provider.registerGrantType(MINT_GRANT, mint, ['role', 'sub', 'ttl'], []);

  const handle = provider.callback();
  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(o.port, '127.0.0.1', resolve));
  return {
    endpoints: { issuer, token: `${issuer}/token`, minting },
    clients: Object.fromEntries(clients.map((client) => [client.id, client])),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A bearer token for local use, of one role (or several, separated by blanks) and one subject; 12 hours unless told. */
export async function mintToken(identity: IdentityEndpoints, role: string, sub: string, ttl?: number): Promise<string> {
  const response = await fetch(identity.token, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${identity.minting.id}:${identity.minting.secret}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams({ grant_type: MINT_GRANT, role, sub, ...(ttl !== undefined && { ttl: String(ttl) }) }),
  });
  const body = (await response.json()) as { access_token?: string; error_description?: string };
  if (body.access_token === undefined)
    throw new Error(`no token for role ${role}: ${body.error_description ?? response.status}`);
  return body.access_token;
}
