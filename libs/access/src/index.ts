export {
  Roles,
  Public,
  CurrentCaller,
  hasRole,
  mustBe,
  services,
  CALLING_SERVICES,
  type Caller,
  type CallingService,
  type Role,
  type TokenRole,
} from './roles.js';
export * from './public-routes.js';
export * from './token-verifier.js';
export { AccessGuard } from './access.guard.js';
export * from './declared-routes.js';
export * from './client-credentials.js';
