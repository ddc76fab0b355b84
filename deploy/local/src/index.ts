export { CannotStart } from './cannot-start.js';
export { startCastiron, type Castiron } from './castiron.js';
export type { Endpoints, Person, RecipientEndpoints } from './endpoints.js';
export { mintToken, type IdentityEndpoints } from './identity.js';
export { CACHE, DOT_CASTIRON, ROOT } from './places.js';
export { INTERNAL_RECIPIENTS, PRINCIPALS } from './principals.js';
export { loadSample } from './sample.js';
export { endpointsOf, startStack, type Stack, type StackEndpoints, type StackOptions } from './stack.js';
