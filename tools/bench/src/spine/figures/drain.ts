import { inTurn, type Bench } from '../bench.js';
import { figure, ratio, type Figure } from '../figure.js';
import type { Work } from '../stopwatch.js';

/** The batch of the bare client: larger ones gain next to nothing. */
const RAW_BATCH = 1000;

const perSecond = ({ events, ms }: Work): number => (events * 1000) / ms;
const cpuPerEvent = ({ events, cpuUs }: Work): number => cpuUs / events;

interface Drained {
  readonly ours: (Work & { readonly peakMiB: number })[];
  readonly theirs: Work[];
}

async function measure(bench: Bench, name: string, compression: 'uncompressed' | 'gzip'): Promise<Drained> {
  const places = await bench.topic(await bench.database(name), name, compression);
  const count = bench.sizes.backlog;
  const writer = await bench.side('writer');
  const relay = await bench.side('relay');
  const raw = await bench.side('bare-producer');
  const rounds = await bench.rounds(name, async (round) => {
    await writer.ask('fill', { ...places, count });
    const before = await bench.recordsOn(places.topic);
    const [ours, theirs] = await inTurn(
      round,
      () => relay.ask('drain', { ...places, count }),
      () => raw.ask('send', { ...places, count, batch: RAW_BATCH }),
    );
    const arrived = (await bench.recordsOn(places.topic)) - before;
    if (arrived !== 2 * count) throw new Error(`${arrived} records arrived of ${2 * count}`);
    return { ours, theirs };
  });
  return { ours: rounds.map((it) => it.ours), theirs: rounds.map((it) => it.theirs) };
}

/** A backlog through the relay, against the bare client with the same messages in memory. */
export async function drain(bench: Bench): Promise<Figure[]> {
  const { ours, theirs } = await measure(bench, 'drain', 'uncompressed');
  return [
    ratio('relay drain / raw kafkajs, batches of 1,000', ours.map(perSecond), theirs.map(perSecond), {
      direction: 'atLeast',
      must: 0.5,
      aim: 0.65,
    }),
    figure('relay drain', 'events/s', ours.map(perSecond)),
    figure('raw kafkajs', 'events/s', theirs.map(perSecond)),
    figure('CPU per event, relay', 'µs', ours.map(cpuPerEvent)),
    figure('CPU per event, raw kafkajs', 'µs', theirs.map(cpuPerEvent)),
    figure(
      'memory of the relay, peak while draining',
      'MiB',
      ours.map(({ peakMiB }) => peakMiB),
    ),
  ];
}

/** The same on topics as the product makes them, where the broker compresses. */
export async function drainCompressed(bench: Bench): Promise<Figure[]> {
  const { ours, theirs } = await measure(bench, 'drain_gzip', 'gzip');
  return [
    ratio('relay drain / raw kafkajs, the broker compresses', ours.map(perSecond), theirs.map(perSecond)),
    figure('relay drain, the broker compresses', 'events/s', ours.map(perSecond)),
  ];
}
