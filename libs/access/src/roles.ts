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

/** Our own services that call others over HTTP. A recipient must not bear such a name: its token would pass for theirs. */
export const CALLING_SERVICES = ['portal', 'importer', 'partner-sharing'] as const;

export type CallingService = (typeof CALLING_SERVICES)[number];

/** Some of our own services, by name. Made by {@link services}. */
export interface NamedServices {
  readonly services: readonly CallingService[];
}

/** Lets in these of our own services and no other: `@Roles('customer', services('portal'))`. */
export const services = (name: CallingService, ...more: CallingService[]): NamedServices => ({
  services: [name, ...more],
});

/** What a route may declare. The role `service` alone would let in every service, so it cannot be named by itself. */
export type Admitted = Exclude<TokenRole, 'service'> | NamedServices;

/** Who may call a route. */
export interface Admission {
  readonly roles: readonly Role[];
  /** The callers of role `service` that may; all others of that role may not. */
  readonly services: readonly string[];
}

/** Where a handler's or controller's admission is kept. */
export const ADMISSION_METADATA = 'castiron:admission';

/** Who may call this handler, or each handler of this controller that declares nothing of its own. */
export function Roles(...admitted: readonly [Admitted, ...Admitted[]]): CustomDecorator {
  const roles = admitted.map((one): Role => (typeof one === 'string' ? one : 'service'));
  const named = admitted.flatMap((one) => (typeof one === 'string' ? [] : one.services));
  return SetMetadata(ADMISSION_METADATA, { roles: [...new Set(roles)], services: named } satisfies Admission);
}

/** Anyone may call this handler, without a token. Only for routes of `PUBLIC_ROUTES`; elsewhere the start fails. */
export const Public = (): CustomDecorator =>
  SetMetadata(ADMISSION_METADATA, { roles: ['public'], services: [] } satisfies Admission);

/**
 * The roles by which a caller gets in: those that the route declares, and `service` only where it names this service.
 * None: the caller stays out.
 */
export const rolesAdmitted = ({ roles, services: named }: Admission, caller: Caller): readonly Role[] =>
  caller.roles.filter((role) => roles.includes(role) && (role !== 'service' || named.includes(caller.sub)));

/** What the guard leaves on the request. */
export interface RequestWithCaller {
  caller?: Caller;
}

/** The caller that the guard let in, with the roles that the route declares. Not for public routes: they have none. */
export const CurrentCaller = createParamDecorator((_data: unknown, context: ExecutionContext): Caller => {
  const { caller } = context.switchToHttp().getRequest<RequestWithCaller>();
  if (caller === undefined) throw new Error('a public route has no caller');
  return caller;
});

export const hasRole = (caller: Caller, ...roles: readonly TokenRole[]): boolean =>
  roles.some((role) => caller.roles.includes(role));

/** Who may look at any customer where the route admits them at all: staff, and the services that it names. */
const OVER_ALL_CUSTOMERS: readonly TokenRole[] = ['support', 'privacy-officer', 'auditor', 'service'];

/**
 * Passes if the caller is this very customer, staff, or a service of ours. Which of these the route admits is its own
 * declaration: this only keeps one customer (and a partner) from another customer.
 */
export function mustBe(caller: Caller, customerId: string): void {
  if (hasRole(caller, ...OVER_ALL_CUSTOMERS)) return;
  if (hasRole(caller, 'customer') && caller.sub === customerId) return;
  throw new Refused({ kind: 'forbidden', code: 'not-your-data', detail: 'A customer reaches their own data only.' });
}
