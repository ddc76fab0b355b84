import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { Refused } from '@castiron/failures';
import { ADMISSION_METADATA, rolesAdmitted, type Admission, type Caller, type RequestWithCaller } from './roles.js';
import { TokenVerifier } from './token-verifier.js';

/** RFC 6750, section 2.1: the scheme, one space, and a b64token. */
const BEARER = /^Bearer ([A-Za-z0-9._~+/-]+=*)$/i;

interface IncomingRequest extends RequestWithCaller {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/**
 * Denies by default. A handler's own declaration replaces its controller's; where there is none (the start fails before
 * it comes to this) nobody gets in.
 */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly tokens: TokenVerifier,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const admission = this.reflector.getAllAndOverride<Admission | undefined>(ADMISSION_METADATA, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (admission?.roles.includes('public') === true) return true;

    const request = context.switchToHttp().getRequest<IncomingRequest>();
    const caller = await this.tokens.verify(bearerOf(request.headers['authorization']));
    const roles = admission === undefined ? [] : rolesAdmitted(admission, caller);
    if (roles.length === 0) throw notAdmitted(admission, caller);
    // Roles that the route does not declare are of no use behind it, whatever else the token carries.
    request.caller = { sub: caller.sub, roles };
    return true;
  }
}

function notAdmitted(admission: Admission | undefined, caller: Caller): Refused {
  if (admission?.roles.includes('service') === true && caller.roles.includes('service')) {
    return new Refused({
      kind: 'forbidden',
      code: 'service-not-named',
      detail: 'This is open to the services that it names, and the calling one is not among them.',
      promise: 'P8',
    });
  }
  return new Refused({ kind: 'forbidden', code: 'role-not-allowed', detail: 'None of your roles may do this.' });
}

function bearerOf(header: string | string[] | undefined): string {
  if (header === undefined) {
    throw new Refused({ kind: 'unauthenticated', code: 'token-required', detail: 'A bearer token is required.' });
  }
  const token = typeof header === 'string' ? BEARER.exec(header)?.[1] : undefined;
  if (token === undefined) {
    throw new Refused({
      kind: 'unauthenticated',
      code: 'invalid-token',
      detail: 'The Authorization header holds no bearer token.',
    });
  }
  return token;
}
