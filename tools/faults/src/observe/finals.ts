import type { Observed } from '../check/observed.js';
import type { Cluster } from '../rig/cluster.js';
import type { Calls } from '../workload/calls.js';

const TRIES = 6;
/** All of a long run's customers at once are more than a service answers in time. */
const AT_ONCE = 20;

/** The profiles as their customers read them. */
export async function finalsOf(
  cluster: Cluster,
  calls: Calls,
  customers: readonly string[],
): Promise<Observed['finals']> {
  const [replica] = cluster.replicasOf('customer-profiles');
  const read = async (customer: string) => {
    for (let attempt = 1; ; attempt += 1) {
      const reply = await calls.call({
        method: 'GET',
        url: `${replica?.url}/customers/${customer}`,
        as: ['customer', customer],
      });
      if (reply.kind === 'answer' && reply.status === 200) {
        return [
          customer,
          { version: Number(reply.body['version']), attributes: reply.body['attributes'] as Record<string, string> },
        ] as const;
      }
      // An acknowledged customer that is not there at all.
      if (reply.kind === 'answer' && reply.status === 404) return [customer, { version: 0, attributes: {} }] as const;
      if (attempt === TRIES) throw new Error(`the profile of ${customer} cannot be read: ${JSON.stringify(reply)}`);
    }
  };
  const left = customers.values();
  const readSome = async () => {
    const some = [];
    for (const customer of left) some.push(await read(customer));
    return some;
  };
  return new Map((await Promise.all(Array.from({ length: AT_ONCE }, readSome))).flat());
}
