import type { Done, History, Outcome, Told } from '../history.js';
import type { Service } from '../plan/faults.js';
import { pause } from '../pause.js';
import { outcomeOf, type Calls, type Reply } from './calls.js';

const WITHIN_MS = 15_000;
const BETWEEN_TRIES_MS = 500;

export type Asker = Parameters<Calls['call']>[0]['as'];

/** How services are reached. */
export interface Reach {
  readonly calls: Calls;
  readonly urlOf: (service: Service, replica: number) => string;
}

/** What was answered 202 holds once its command is done. @param until the deadline, which may come to be known later */
async function fenceStands({ calls, urlOf }: Reach, command: string, as: Asker, until: () => number): Promise<boolean> {
  for (let attempt = 0; Date.now() < until(); attempt += 1) {
    const url = `${urlOf('partner-sharing', attempt % 2)}/commands/${command}`;
    const reply = await calls.call({ method: 'GET', url, as });
    if (reply.kind === 'answer' && reply.body['state'] === 'done') return true;
    await pause(BETWEEN_TRIES_MS);
  }
  return false;
}

/** What became of something that ends sharing, and when its fence was said to stand. */
export async function behindFence(world: Reach, reply: Reply, as: Asker): Promise<{ outcome: Outcome; told: Told }> {
  const { outcome, told } = outcomeOf(reply);
  if (outcome !== 'ok' || reply.kind !== 'answer') return { outcome, told };
  const command = String(reply.body['command']);
  const deadline = Date.now() + WITHIN_MS;
  if (reply.status === 202 && !(await fenceStands(world, command, as, () => deadline)))
    return { outcome, told: { ...told, command, reason: 'the fence did not stand in time' } };
  return { outcome, told: { ...told, answered: Date.now() } };
}

/** Fences that did not stand in time: they are asked for until they do, or the run is over. The service says no moment. */
export class LateFences {
  private until = Infinity;
  private readonly standing: Promise<Done | undefined>[] = [];

  constructor(private readonly world: Reach & { readonly history: History }) {}

  follow(done: Done, as: Asker): void {
    const { command, answered } = done.told;
    if (command === undefined || answered !== undefined) return;
    const standing = fenceStands(this.world, command, as, () => this.until).then((stands) => {
      if (!stands) return done;
      this.world.history.answered(done, Date.now());
      return undefined;
    });
    // Whoever ends it is told; until then nobody waits for it.
    standing.catch(() => undefined);
    this.standing.push(standing);
  }

  /** Once nothing is broken any more. @returns those that do not stand in time even so */
  async end(): Promise<Done[]> {
    this.until = Date.now() + WITHIN_MS;
    return (await Promise.all(this.standing)).filter((done) => done !== undefined);
  }
}
