import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCastiron, startStack, type ServiceName, type Stack } from '@castiron/local-stack';
import { Castiron } from './castiron.js';

/** How a process ended that was asked to. */
export interface Ending {
  readonly ms: number;
  readonly lastWords: string;
}

/** A whole system for one spec file, which may do to it what the other files must not meet. */
export interface OwnCastiron {
  readonly castiron: Castiron;
  /** `kill -9`, and the start that a supervisor would give it; `whileGone` looks at what it left. */
  crash(service: ServiceName, whileGone?: () => Promise<void>): Promise<void>;
  /** Stopped, and started with further settings. */
  restart(service: ServiceName, settings: Readonly<Record<string, string>>): Promise<void>;
  /** SIGTERM, and the start that a supervisor would give it; `whileGone` does something to what it left. */
  askToEnd(service: ServiceName, whileGone?: () => Promise<void>): Promise<Ending>;
  /** Resolves with the last words of a process that ends by itself. */
  ended(service: ServiceName): Promise<string>;
  /** The last words of each service that does not run now, for whoever wonders why nobody answers. */
  lastWordsOfTheGone(): Promise<readonly string[]>;
  /** One for each process that runs now. */
  pids(): Readonly<Record<string, number | undefined>>;
  /** What every service rests on, to be held up. */
  readonly parts: Stack['parts'];
  stop(): Promise<void>;
}

export async function startOwnCastiron(): Promise<OwnCastiron> {
  const stack = await startStack({ dataDir: join(tmpdir(), `castiron-own-${process.pid}-${Date.now()}`), keep: false });
  try {
    const running = await startCastiron(stack);
    return {
      castiron: new Castiron(running.endpoints),
      restart: (service, settings) => running.restart(service, settings),
      crash: async (service, whileGone) => {
        await running.parts[service]?.kill();
        await whileGone?.();
        await running.restart(service);
      },
      askToEnd: async (service, whileGone) => {
        const part = running.parts[service];
        if (part?.pid === undefined) throw new Error(`${service} does not run`);
        const before = Date.now();
        process.kill(part.pid, 'SIGTERM');
        const lastWords = await part.ended;
        const ms = Date.now() - before;
        await whileGone?.();
        await running.restart(service);
        return { ms, lastWords };
      },
      ended: (service) => running.parts[service]?.ended ?? Promise.reject(new Error(`${service} does not run`)),
      lastWordsOfTheGone: async () => {
        const words = await Promise.all(
          Object.values(running.parts).map(({ ended }) => Promise.race([ended, Promise.resolve(undefined)])),
        );
        return words.filter((last) => last !== undefined);
      },
      pids: () => Object.fromEntries(Object.entries(running.parts).map(([name, { pid }]) => [name, pid])),
      parts: stack.parts,
      stop: async () => {
        await running.stop();
        await stack.stop();
      },
    };
  } catch (error) {
    await stack.stop();
    throw error;
  }
}
