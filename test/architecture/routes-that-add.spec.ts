import { beforeAll, describe, expect, it } from 'vitest';
import { ROOT, sources } from './tree.js';

/** Where `@OnlyTakesAway` and `@OnlyReads` leave their mark. */
const ADDS_NOTHING = 'castiron:adds-nothing';

/** As Nest numbers its methods. */
const GET = 0;

interface Route {
  readonly name: string;
  readonly marked: boolean;
}

/** Every changing handler of every controller, found by its file. */
async function changingRoutes(): Promise<Route[]> {
  const routes: Route[] = [];
  for (const file of sources.filter((path) => path.endsWith('.controller.ts'))) {
    for (const value of Object.values((await import(`${ROOT}/${file}`)) as Record<string, unknown>)) {
      if (typeof value !== 'function' || Reflect.getMetadata('__controller__', value) !== true) continue;
      for (const [name, { value: handler }] of Object.entries(Object.getOwnPropertyDescriptors(value.prototype))) {
        if (typeof handler !== 'function') continue;
        const method: unknown = Reflect.getMetadata('method', handler);
        if (method === undefined || method === GET) continue;
        routes.push({ name: `${value.name}.${name}`, marked: Reflect.hasMetadata(ADDS_NOTHING, handler) });
      }
    }
  }
  return routes;
}

const named = (routes: readonly Route[], marked: boolean): string[] =>
  routes.filter((route) => route.marked === marked).map(({ name }) => name);

describe('a changing route', () => {
  let routes: Route[];
  beforeAll(async () => {
    routes = await changingRoutes();
  }, 60_000);

  it('counts as adding unless it says otherwise: these are carried out though the outbox be full', () => {
    expect(named(routes, true).sort()).toEqual([
      'AttributesController.change',
      'AttributesController.withdraw',
      'CancellationsController.cancel',
      'ErasuresController.erase',
      'KeysController.handOut',
      'ObjectionsController.object',
      'ParkedController.discard',
      'ParkedController.replay',
      'RecoveryController.recover',
      'RevocationController.revoke',
      'TerminationController.terminate',
    ]);
  });

  it('that revokes, withdraws, cancels, ends, discards, objects or erases says so', () => {
    const takesAway = /revo|withdraw|cancel|terminat|discard|object|eras|delet|forget/i;
    expect(named(routes, false).filter((name) => takesAway.test(name))).toEqual([]);
    expect(named(routes, false).length).toBeGreaterThan(8);
  });
});
