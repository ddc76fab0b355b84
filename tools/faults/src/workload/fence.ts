import type { Outcome, Told } from '../history.js';
import { outcomeOf, pause, type Calls, type Reply } from './calls.js';
import type { World } from './world.js';

const WITHIN_MS = 15_000;
const BETWEEN_TRIES_MS = 500;

export type Asker = Parameters<Calls['call']>[0]['as'];

/** What was answered 202 holds once its command is done. */
export async function fenceStands({ calls, urlOf }: World, command: string, as: Asker): Promise<boolean> {
  const deadline = Date.now() + WITHIN_MS;
  for (let attempt = 0; Date.now() < deadline; attempt += 1) {
    const url = `${urlOf('partner-sharing', attempt % 2)}/commands/${command}`;
    const reply = await calls.call({ method: 'GET', url, as });
    if (reply.kind === 'answer' && reply.body['state'] === 'done') return true;
    await pause(BETWEEN_TRIES_MS);
  }
  return false;
}

/** What became of something that ends sharing, and when its fence was said to stand. */
export async function behindFence(world: World, reply: Reply, as: Asker): Promise<{ outcome: Outcome; told: Told }> {
  const { outcome, told } = outcomeOf(reply);
  if (outcome !== 'ok' || reply.kind !== 'answer') return { outcome, told };
  const command = String(reply.body['command']);
  if (reply.status === 202 && !(await fenceStands(world, command, as)))
    return { outcome, told: { ...told, command, reason: 'the fence did not stand in time' } };
  return { outcome, told: { ...told, answered: Date.now() } };
}
