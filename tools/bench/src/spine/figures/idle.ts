import type { Bench } from '../bench.js';
import { figure, type Figure } from '../figure.js';

const SETTLE_SECONDS = 5;

/** Relay and inbox of a service that has nothing to do. */
export async function idle(bench: Bench): Promise<Figure[]> {
  const places = await bench.topic(await bench.database('idle'), 'idle');
  const service = await bench.side('service', 'idle service');
  const rounds = await bench.rounds('idle', () =>
    service.ask('idle', { ...places, settle: SETTLE_SECONDS, seconds: bench.sizes.idleSeconds }),
  );
  return [
    figure(
      'CPU of an idle service (relay and inbox)',
      '% of a core',
      rounds.map(({ percent }) => percent),
      { direction: 'atMost', must: 1 },
    ),
    figure(
      'memory of an idle service (relay and inbox)',
      'MiB',
      rounds.map(({ residentMiB }) => residentMiB),
    ),
  ];
}
