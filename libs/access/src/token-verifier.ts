import { createRemoteJWKSet, errors, jwtVerify, type JWTVerifyGetKey } from 'jose';
import { Refused } from '@castiron/failures';
import { discover, FETCH_DEADLINE_MS } from './discovery.js';
import { TOKEN_ROLES, type Caller } from './roles.js';

export interface TokenVerifierSettings {
  /** The OpenID provider, exactly as tokens name it in `iss`. */
  readonly issuer: string;
  readonly audience?: string;
}

/** The audience of every token for Castiron. */
export const AUDIENCE = 'castiron';

/** Asymmetric algorithms only: `none` and HMAC with a public key are refused before a key is looked for. */
const ALGORITHMS = ['RS256', 'ES256'];

const CLOCK_TOLERANCE_S = 5;

const badToken = (detail: string): Refused => new Refused({ kind: 'unauthenticated', code: 'invalid-token', detail });

/** What a bad token is told: enough to mend it, nothing of what it holds. */
function refusalOf(error: unknown): Refused {
  if (error instanceof errors.JWTExpired) return badToken('The token has expired.');
  if (error instanceof errors.JWTClaimValidationFailed)
    return badToken(`The token's claim "${error.claim}" is not acceptable.`);
  if (error instanceof errors.JOSEAlgNotAllowed)
    return badToken('The token is signed with an algorithm that is not allowed.');
  if (error instanceof errors.JWKSNoMatchingKey) return badToken('The token is signed with an unknown key.');
  if (error instanceof errors.JWSSignatureVerificationFailed) return badToken("The token's signature does not fit.");
  return badToken('The token is not a signed JWT.');
}

/** Whether the keys could not be had, which says nothing about the token. */
const isProviderAway = (error: unknown): boolean =>
  error instanceof errors.JWKSTimeout ||
  error instanceof errors.JWKSInvalid ||
  // jose reports an answer other than 200, and one that is no JSON, as its generic error; fetch itself as TypeError.
  (error instanceof errors.JOSEError && error.code === 'ERR_JOSE_GENERIC') ||
  !(error instanceof errors.JOSEError);

/** Checks bearer tokens (RFC 7519, OpenID Connect discovery) against one pinned issuer, audience and list of algorithms. */
export class TokenVerifier {
  private readonly audience: string;
  private keys: Promise<JWTVerifyGetKey> | undefined;

  constructor(private readonly settings: TokenVerifierSettings) {
    this.audience = settings.audience ?? AUDIENCE;
  }

  /** Throws `Refused`: unauthenticated where the token is bad, unavailable where the issuer's keys cannot be had. */
  async verify(token: string): Promise<Caller> {
    let payload;
    try {
      const keys = await this.keysOfIssuer();
      ({ payload } = await jwtVerify(token, keys, {
        issuer: this.settings.issuer,
        audience: this.audience,
        algorithms: ALGORITHMS,
        requiredClaims: ['sub', 'exp'],
        clockTolerance: CLOCK_TOLERANCE_S,
      }));
    } catch (error) {
      if (error instanceof Refused) throw error;
      if (!isProviderAway(error)) throw refusalOf(error);
      throw new Refused({
        kind: 'unavailable',
        code: 'identity-provider-unavailable',
        detail: 'Tokens cannot be checked now, since the identity provider does not answer.',
      });
    }
    if (typeof payload.sub !== 'string' || payload.sub === '')
      throw badToken('The token\'s claim "sub" is not acceptable.');
    const claimed: unknown = payload['roles'];
    const roles = Array.isArray(claimed) ? TOKEN_ROLES.filter((role) => claimed.includes(role)) : [];
    return { sub: payload.sub, roles };
  }

  /** Discovered once; a failure is forgotten, so that the next request asks again. */
  private keysOfIssuer(): Promise<JWTVerifyGetKey> {
    this.keys ??= keysOf(this.settings.issuer).catch((error: unknown) => {
      this.keys = undefined;
      throw error;
    });
    return this.keys;
  }
}

async function keysOf(issuer: string): Promise<JWTVerifyGetKey> {
  const { jwksUri } = await discover(issuer);
  return createRemoteJWKSet(new URL(jwksUri), { timeoutDuration: FETCH_DEADLINE_MS });
}
