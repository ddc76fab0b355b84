export {
  Roles,
  Public,
  CurrentCaller,
  hasRole,
  mustBe,
  TOKEN_ROLES,
  type Caller,
  type Role,
  type TokenRole,
} from './roles.js';
export * from './public-routes.js';
export * from './token-verifier.js';
export { AccessGuard } from './access.guard.js';
export * from './declared-routes.js';
export * from './client-credentials.js';
