/**
 * The closed list of what answers without a token, as `METHOD path`. A public handler outside this list fails the
 * start of its service, and a test compares the list, so that nothing becomes public by the way.
 * `/*` at the end covers what is below: the files of the OpenAPI page, the ledger's tiles.
 */
export const PUBLIC_ROUTES: readonly string[] = Object.freeze([
  'GET /health/live',
  'GET /health/ready',
  'GET /metrics',
  'GET /openapi.json',
  'GET /openapi',
  'GET /openapi/*',
  'GET /cancellations/:token',
  'POST /cancellations/:token',
  'GET /ledger/checkpoint',
  'GET /ledger/verifier-key',
  'GET /ledger/tile/*',
]);

/** @param path the route's pattern (`/cancellations/:token`), not the requested address */
export function isPublicRoute(method: string, path: string): boolean {
  // HEAD answers what GET answers, less its body.
  const verb = method === 'HEAD' ? 'GET' : method;
  return PUBLIC_ROUTES.some((route) => {
    const wanted = `${verb} ${path}`;
    return route.endsWith('/*') ? wanted.startsWith(route.slice(0, -1)) : wanted === route;
  });
}
