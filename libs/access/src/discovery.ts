/** OpenID Connect discovery of an issuer's own document (OpenID Connect Discovery 1.0, section 4). */
export interface ProviderMetadata {
  readonly jwksUri: string;
  readonly tokenEndpoint: string | undefined;
}

/** How long the provider may take for any one answer. */
export const FETCH_DEADLINE_MS = 5_000;

/** @throws Error where the provider does not answer, or answers with a document that is not this issuer's own */
export async function discover(issuer: string): Promise<ProviderMetadata> {
  const answer = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, {
    signal: AbortSignal.timeout(FETCH_DEADLINE_MS),
    redirect: 'error',
  });
  if (!answer.ok) throw new Error(`discovery answered ${answer.status}`);
  const document = (await answer.json()) as { issuer?: unknown; jwks_uri?: unknown; token_endpoint?: unknown };
  if (document.issuer !== issuer || typeof document.jwks_uri !== 'string')
    throw new Error("discovery is not the issuer's own");
  return {
    jwksUri: document.jwks_uri,
    tokenEndpoint: typeof document.token_endpoint === 'string' ? document.token_endpoint : undefined,
  };
}
