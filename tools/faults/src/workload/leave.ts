import { pause } from '../pause.js';
import { slugOf, type Operation } from '../plan/operations.js';
import { behindFence } from './fence.js';
import type { World } from './world.js';

/** Until it is through: whoever ends an agreement asks again until told so. */
const TRIES = 12;
const BETWEEN_TRIES_MS = 500;

/** A partner ends its agreement. It may be asked for again: what was tried once may have come to pass. */
export async function leave(world: World, operation: Operation): Promise<void> {
  const { agreements, calls, fences, history, run, urlOf } = world;
  const slug = slugOf(run, operation.process, 'leaving');
  const agreement = agreements.get(slug) ?? '';
  const as = ['partner', slug] as const;
  const done = history.invoke(operation, undefined);
  for (let attempt = 1; ; attempt += 1) {
    const reply = await calls.call({
      method: 'POST',
      url: `${urlOf('partner-sharing', (operation.replica + attempt) % 2)}/agreements/${agreement}/termination`,
      as,
      body: { reason: 'We part.' },
    });
    const { outcome, told } = await behindFence(world, reply, as);
    // By one that had no answer, which would have told what to ask for its fence.
    const isThrough = attempt > 1 && told.reason === 'agreement-terminated';
    if (outcome === 'ok' || isThrough) {
      const command = isThrough ? await world.terminationOf(agreement) : undefined;
      fences.follow(done('ok', { ...told, ...(command !== undefined && { command }) }), as);
      return;
    }
    if (attempt === TRIES) {
      done('info', told);
      return;
    }
    await pause(BETWEEN_TRIES_MS);
  }
}
