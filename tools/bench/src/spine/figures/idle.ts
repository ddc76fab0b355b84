import { startCastiron } from '@castiron/local-stack';
import type { Bench } from '../bench.js';
import { figure, type Figure } from '../figure.js';
import { ProcessUse } from '../process-use.js';

const SETTLE_SECONDS = 5;

const seconds = (count: number) => new Promise((resolve) => setTimeout(resolve, count * 1000));

/** Relay and inbox of a service that has nothing to do. */
async function idleSpine(bench: Bench): Promise<Figure[]> {
  const places = await bench.topic(await bench.database('idle'), 'idle');
  const service = await bench.side('service', 'idle service');
  const rounds = await bench.rounds('idle', () =>
    service.ask('idle', { ...places, settle: SETTLE_SECONDS, seconds: bench.sizes.idleSeconds }),
  );
  await bench.endSides();
  return [
    figure(
      'CPU of an idle relay and inbox',
      '% of a core',
      rounds.map(({ percent }) => percent),
      { direction: 'atMost', must: 1 },
    ),
    figure(
      'memory of an idle relay and inbox',
      'MiB',
      rounds.map(({ residentMiB }) => residentMiB),
    ),
  ];
}

interface Use {
  readonly percent: number;
  readonly residentMiB: number;
}

interface UsesOfServices {
  readonly justStarted: readonly Use[];
  readonly idle: readonly Use[];
}

async function usesOfServices(bench: Bench): Promise<UsesOfServices> {
  const castiron = await startCastiron(bench.stack);
  const startedAt = performance.now();
  try {
    const uses = Object.values(castiron.parts).map(({ pid = 0 }) => new ProcessUse(pid));
    const busiest = async (): Promise<Use> => {
      const before = uses.map((use) => use.cpuUs());
      const from = performance.now();
      await seconds(bench.sizes.idleSeconds);
      const ms = performance.now() - from;
      const percents = uses.map((use, n) => (use.cpuUs() - (before[n] ?? Number.NaN)) / ms / 10);
      return { percent: Math.max(...percents), residentMiB: Math.max(...uses.map((use) => use.residentMiB())) };
    };
    await seconds(SETTLE_SECONDS);
    const justStarted = await bench.rounds('services that have just started', busiest);
    await seconds(Math.max(0, bench.sizes.idleAfterSeconds - (performance.now() - startedAt) / 1000));
    return { justStarted, idle: await bench.rounds('idle services', busiest) };
  } finally {
    await castiron.stop();
  }
}

/**
 * All services as they are, with nobody asking anything of them: in their first minutes, in which V8 compiles what they
 * run, and after these.
 */
export async function idleServices(bench: Bench): Promise<Figure[]> {
  // What another process uses is read from Linux's /proc.
  const isMeasured = process.platform === 'linux';
  const unknown = [{ percent: Number.NaN, residentMiB: Number.NaN }];
  const { justStarted, idle } = isMeasured ? await usesOfServices(bench) : { justStarted: unknown, idle: unknown };
  return [
    figure(
      'CPU of a service that has just started, the busiest of all',
      '% of a core',
      justStarted.map(({ percent }) => percent),
    ),
    figure(
      'CPU of an idle service, the busiest of all',
      '% of a core',
      idle.map(({ percent }) => percent),
      { direction: 'atMost', must: 1 },
    ),
    figure(
      'memory of an idle service, the largest of all',
      'MiB',
      idle.map(({ residentMiB }) => residentMiB),
    ),
  ];
}

export async function idle(bench: Bench): Promise<Figure[]> {
  return [...(await idleSpine(bench)), ...(await idleServices(bench))];
}
