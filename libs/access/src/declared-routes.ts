import { RequestMethod, type INestApplicationContext } from '@nestjs/common';
import { MetadataScanner, ModulesContainer } from '@nestjs/core';
import { isPublicRoute } from './public-routes.js';
import { ADMISSION_METADATA, type Admission, type Role } from './roles.js';

/** Where Nest's own decorators leave a controller's and a handler's route. */
const PATH_METADATA = 'path';
const METHOD_METADATA = 'method';

/** One route of a controller and who may call it. */
export interface DeclaredRoute {
  readonly method: string;
  readonly path: string;
  readonly handler: string;
  /** undefined: nobody said. */
  readonly roles: readonly Role[] | undefined;
  /** Which of our own services, where `service` is among the roles. */
  readonly services: readonly string[];
}

const listOf = (paths: unknown): string[] => [(paths ?? '') as string | string[]].flat();

function joined(controllerPath: string, handlerPath: string): string {
  const parts = `${controllerPath}/${handlerPath}`.split('/').filter((part) => part !== '');
  return `/${parts.join('/')}`;
}

/** Every route of every controller of the application, with its roles. */
export function routesOf(app: INestApplicationContext): DeclaredRoute[] {
  const scanner = new MetadataScanner();
  const routes: DeclaredRoute[] = [];
  for (const module of app.get(ModulesContainer).values()) {
    for (const { metatype } of module.controllers.values()) {
      if (typeof metatype !== 'function') continue;
      const prototype = metatype.prototype as object;
      for (const name of scanner.getAllMethodNames(prototype)) {
        const handler = (prototype as Record<string, unknown>)[name] as object;
        const path: unknown = Reflect.getMetadata(PATH_METADATA, handler);
        if (path === undefined) continue;
        const verb = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod;
        const admission = (Reflect.getMetadata(ADMISSION_METADATA, handler) ??
          Reflect.getMetadata(ADMISSION_METADATA, metatype)) as Admission | undefined;
        for (const ofController of listOf(Reflect.getMetadata(PATH_METADATA, metatype))) {
          for (const ofHandler of listOf(path)) {
            routes.push({
              method: RequestMethod[verb] ?? 'GET',
              path: joined(ofController, ofHandler),
              handler: `${metatype.name}.${name}`,
              roles: admission?.roles,
              services: admission?.services ?? [],
            });
          }
        }
      }
    }
  }
  return routes;
}

/**
 * Fails the start, naming every fault at once: a route that nobody declared a role for, a route that is public
 * without standing in the closed list, and one that lets services in without naming them.
 *
 * @param served what the HTTP server answers in fact (`METHOD path`), so that a route registered past the controllers
 *   (and so past the guard) is found too
 */
export function assertEveryRouteDeclared(
  app: INestApplicationContext,
  served: readonly { method: string; path: string }[] = [],
): void {
  const declared = routesOf(app);
  const faults = declared.flatMap((route) => {
    const name = `${route.method} ${route.path} (${route.handler})`;
    if (route.roles === undefined || route.roles.length === 0) return [`${name} declares no role`];
    if (route.roles.includes('public') && !isPublicRoute(route.method, route.path)) {
      return [`${name} is public, but not in the closed list of public routes`];
    }
    if (route.roles.includes('service') && route.services.length === 0) {
      return [`${name} lets services in without naming one`];
    }
    return [];
  });
  const known = new Set(declared.map(({ method, path }) => `${method} ${path}`));
  for (const { method, path } of served) {
    // Fastify answers HEAD by the GET handler, through the same guard.
    const verb = method === 'HEAD' ? 'GET' : method;
    if (known.has(`${verb} ${path}`) || known.has(`ALL ${path}`) || isPublicRoute(verb, path)) continue;
    faults.push(`${method} ${path} is served past the controllers, where no guard stands`);
  }
  if (faults.length > 0) throw new Error(`Access is not declared everywhere:\n  ${[...new Set(faults)].join('\n  ')}`);
}
