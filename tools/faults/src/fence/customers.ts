import pLimit from 'p-limit';
import { pause } from '../pause.js';
import type { Calls } from '../workload/calls.js';
import type { Reach } from '../workload/fence.js';

const AT_ONCE = 16;
const TRIES = 40;
const BETWEEN_TRIES_MS = 250;

/** The purpose that is given and taken back, and the one that stays. */
export const [TAKEN_BACK, STAYS] = ['recommendation', 'invoicing'] as const;

export interface Customer {
  readonly id: string;
  readonly asked: readonly ['customer', string];
  /** Of the profile, as it was told last. */
  version: number;
  /** The company's name, as it was given last. */
  name: string;
}

/** Asks one replica and the other in turn until somebody answers. */
export async function insist(
  { calls, urlOf }: Reach,
  service: 'customer-profiles' | 'partner-sharing',
  ask: Omit<Parameters<Calls['call']>[0], 'url'> & { readonly path: string },
): Promise<{ status: number; body: Record<string, unknown> }> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const { path, ...rest } = ask;
    const reply = await calls.call({ ...rest, url: `${urlOf(service, attempt % 2)}${path}` });
    if (reply.kind === 'answer' && reply.status < 500) return reply;
    await pause(BETWEEN_TRIES_MS);
  }
  throw new Error(`nobody answers ${ask.method} ${ask.path}`);
}

export const pathOf = (customer: string, slug: string, purpose: string): string =>
  `/customers/${customer}/permissions/${slug}/${purpose}`;

export const evidence = () => ({ how: 'portal', givenAt: new Date().toISOString(), statementVersion: 1 });

/** Registers customers, each with the permission that stays. */
export async function registerAll(reach: Reach, slug: string, count: number): Promise<Customer[]> {
  const limit = pLimit(AT_ONCE);
  return Promise.all(
    Array.from({ length: count }, (_, n) =>
      limit(async () => {
        const name = `${slug}-${n}`;
        const { body } = await insist(reach, 'customer-profiles', {
          method: 'POST',
          path: '/registrations/service-order',
          as: ['service', 'portal'],
          headers: { 'idempotency-key': name },
          body: {
            attributes: {
              companyName: name,
              registeredAddress: '1 Road',
              servicesUsed: 'web',
              email: `${name}@faults.example`,
              vatNumber: 'X1',
            },
          },
        });
        const id = String(body['customer']);
        const asked = ['customer', id] as const;
        await insist(reach, 'partner-sharing', {
          method: 'PUT',
          path: pathOf(id, slug, STAYS),
          as: asked,
          body: evidence(),
        });
        return { id, asked, version: 1, name };
      }),
    ),
  );
}
