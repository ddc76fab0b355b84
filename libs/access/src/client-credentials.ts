import { Retryable } from '@castiron/failures';
import { discover, FETCH_DEADLINE_MS } from './discovery.js';

export interface ClientCredentials {
  /** The provider's token endpoint, or how to find it: {@link tokenEndpointOf}. */
  readonly tokenUrl: string | (() => Promise<string>);
  readonly clientId: string;
  readonly clientSecret: string;
}

/** A token is replaced this long before it ends, or at half its life where that is shorter. */
const MARGIN_MS = 30_000;

/**
 * Tokens for calls between services (OAuth 2.0 client credentials, RFC 6749 section 4.4). The token is kept until
 * shortly before its end, and many callers at once share one request.
 *
 * @returns a function that gives a token; it throws `Retryable` where the provider does not answer or refuses
 */
export function clientCredentials(settings: ClientCredentials): () => Promise<string> {
  let held: { readonly token: string; readonly until: number } | undefined;
  let asking: Promise<string> | undefined;

  async function ask(): Promise<string> {
    const now = Date.now();
    const answer = await request(settings);
    const lifeMs = answer.expiresInS * 1_000;
    held = { token: answer.token, until: now + lifeMs - Math.min(MARGIN_MS, lifeMs / 2) };
    return answer.token;
  }

  return async () => {
    if (held !== undefined && Date.now() < held.until) return held.token;
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    return asking;
  };
}

/** Finds an issuer's token endpoint, once; a failure is `Retryable` and forgotten. */
export function tokenEndpointOf(issuer: string): () => Promise<string> {
  let found: string | undefined;
  return async () => {
    found ??= await discover(issuer).then(
      ({ tokenEndpoint }) => tokenEndpoint,
      (error: unknown) => {
        throw new Retryable('the identity provider does not answer', { cause: error });
      },
    );
    if (found === undefined) throw new Error('the identity provider has no token endpoint');
    return found;
  };
}

async function request({
  tokenUrl,
  clientId,
  clientSecret,
}: ClientCredentials): Promise<{ token: string; expiresInS: number }> {
  // RFC 6749, section 2.3.1: both parts are form-encoded before they are joined.
  const basic = Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`).toString('base64');
  const address = typeof tokenUrl === 'string' ? tokenUrl : await tokenUrl();
  let response;
  let body: { access_token?: unknown; expires_in?: unknown };
  try {
    response = await fetch(address, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}`, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
      signal: AbortSignal.timeout(FETCH_DEADLINE_MS),
    });
    // Not JSON where something stands in front of the provider, such as a proxy that answers for it.
    body = response.ok ? ((await response.json()) as typeof body) : {};
  } catch (error) {
    throw new Retryable('the identity provider does not answer', { cause: error });
  }
  // The answer's body may repeat what was sent, so only its status is told.
  if (!response.ok) throw new Retryable(`the identity provider refused a service token with ${response.status}`);
  if (typeof body.access_token !== 'string') throw new Retryable('the identity provider gave no token');
  return { token: body.access_token, expiresInS: typeof body.expires_in === 'number' ? body.expires_in : 60 };
}
