import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCastiron, startStack, type ServiceName } from '@castiron/local-stack';
import { Castiron } from './castiron.js';

/** A whole system for one spec file, which may do to it what the other files must not meet. */
export interface OwnCastiron {
  readonly castiron: Castiron;
  /** `kill -9`, and the start that a supervisor would give it. */
  crash(service: ServiceName): Promise<void>;
  stop(): Promise<void>;
}

export async function startOwnCastiron(): Promise<OwnCastiron> {
  const stack = await startStack({ dataDir: join(tmpdir(), `castiron-own-${process.pid}-${Date.now()}`), keep: false });
  try {
    const running = await startCastiron(stack);
    return {
      castiron: new Castiron(running.endpoints),
      crash: async (service) => {
        await running.parts[service]?.kill();
        await running.restart(service);
      },
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
