import { isPublicRoute, PUBLIC_ROUTES, routesOf } from '@castiron/access';
import { beforeAll, describe, expect, it } from 'vitest';
import { ROOT, sources } from './tree.js';

type Routes = ReturnType<typeof routesOf>;

/** Every controller, found by its file, looked at as the start of a service looks at its own, without starting any. */
async function routesOfAllControllers(): Promise<Routes> {
  const controllers = [];
  for (const file of sources.filter((path) => path.endsWith('.controller.ts'))) {
    const exported = Object.values((await import(`${ROOT}/${file}`)) as Record<string, unknown>);
    const found = exported.filter(
      (value) => typeof value === 'function' && Reflect.getMetadata('__controller__', value) === true,
    );
    expect(found, file).not.toEqual([]);
    controllers.push(...(found as (new () => object)[]));
  }
  const modules = new Map([['all', { controllers: new Map(controllers.map((metatype) => [metatype, { metatype }])) }]]);
  return routesOf({ get: () => modules } as unknown as Parameters<typeof routesOf>[0]);
}

describe('HTTP routes', () => {
  let routes: Routes;
  beforeAll(async () => {
    routes = await routesOfAllControllers();
  }, 60_000);

  it('each declare who may call them', () => {
    expect(routes.length).toBeGreaterThan(20);
    expect(routes.filter(({ roles }) => roles === undefined || roles.length === 0)).toEqual([]);
  });

  it('let in, of our own services, only whom they need', () => {
    const open = routes.filter(({ roles }) => roles?.includes('service') === true);
    expect(
      Object.fromEntries(open.map(({ method, path, services }) => [`${method} ${path}`, services.join()])),
    ).toEqual({
      'GET /catalogue': 'portal',
      'GET /commands/:id': 'portal',
      'GET /recipients': 'portal',
      'GET /recipients/:slug': 'portal',
      'GET /statements/:version': 'portal',
      'GET /statements/current': 'portal',
      'POST /imports/customers': 'importer',
      'POST /imports/permissions': 'importer',
      'POST /internal/keys': 'partner-sharing',
      'POST /registrations/job-application': 'portal',
      'POST /registrations/service-order': 'portal',
      'POST /registrations/subscription': 'portal',
      'PUT /customers/:customer/permissions/:recipient/:purpose': 'portal',
      'DELETE /customers/:customer/permissions/:recipient/:purpose': 'portal',
      'PUT /customers/:customer/objections/:recipient/:purpose': 'portal',
      'DELETE /customers/:customer/objections/:recipient/:purpose': 'portal',
    });
  });

  it('are public only where the closed list says so', () => {
    const open = routes.filter(({ roles }) => roles?.includes('public') === true);
    expect(open.filter(({ method, path }) => !isPublicRoute(method, path))).toEqual([]);
    expect(open.length).toBeGreaterThan(0);
  });

  it('that are public are health, metrics, the OpenAPI page, the links that cancel mail and the ledger, nothing else', () => {
    expect([...PUBLIC_ROUTES].sort()).toEqual([
      'GET /cancellations/:token',
      'GET /health/live',
      'GET /health/ready',
      'GET /ledger/checkpoint',
      'GET /ledger/tile/*',
      'GET /ledger/verifier-key',
      'GET /metrics',
      'GET /openapi',
      'GET /openapi.json',
      'GET /openapi/*',
      'POST /cancellations/:token',
    ]);
  });
});
