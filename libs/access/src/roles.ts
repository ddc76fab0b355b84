import { createParamDecorator, SetMetadata, type CustomDecorator, type ExecutionContext } from '@nestjs/common';
import { Refused } from '@castiron/failures';

/** The roles a token may carry. */
export const TOKEN_ROLES = ['customer', 'support', 'privacy-officer', 'auditor', 'partner', 'service'] as const;

export type TokenRole = (typeof TOKEN_ROLES)[number];

/** `public` stands for no token at all; no token can carry it. */
export type Role = TokenRole | 'public';

/** Who calls. `sub` is the customer's id, the partner's slug, the service's name, or a member of staff's id. */
export interface Caller {
  readonly sub: string;
  readonly roles: readonly Role[];
}

/** Where a handler's or controller's roles are kept. */
export const ROLES_METADATA = 'castiron:roles';

/** Who may call this handler, or each handler of this controller that declares nothing of its own. */
export const Roles = (role: TokenRole, ...more: TokenRole[]): CustomDecorator =>
  SetMetadata(ROLES_METADATA, [role, ...more]);

/** Anyone may call this handler, without a token. Only for routes of `PUBLIC_ROUTES`; elsewhere the start fails. */
export const Public = (): CustomDecorator => SetMetadata(ROLES_METADATA, ['public']);

/** What the guard leaves on the request. */
export interface RequestWithCaller {
  caller?: Caller;
}

/** The caller that the guard let in. Not for public routes: they have none. */
export const CurrentCaller = createParamDecorator((_data: unknown, context: ExecutionContext): Caller => {
  const { caller } = context.switchToHttp().getRequest<RequestWithCaller>();
  if (caller === undefined) throw new Error('a public route has no caller');
  return caller;
});

export const hasRole = (caller: Caller, ...roles: readonly TokenRole[]): boolean =>
  roles.some((role) => caller.roles.includes(role));

/** Who may look at any customer where the route admits them at all: staff, and our own services. */
const OVER_ALL_CUSTOMERS: readonly TokenRole[] = ['support', 'privacy-officer', 'auditor', 'service'];

/**
 * Passes if the caller is this very customer, staff, or a service. Which of these the route admits is its own
 * declaration: this only keeps one customer (and a partner) from another customer.
 */
export function mustBe(caller: Caller, customerId: string): void {
  if (hasRole(caller, ...OVER_ALL_CUSTOMERS)) return;
  if (hasRole(caller, 'customer') && caller.sub === customerId) return;
  throw new Refused({ kind: 'forbidden', code: 'not-your-data', detail: 'A customer reaches their own data only.' });
}
