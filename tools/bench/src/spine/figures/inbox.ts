import { inTurn, type Bench } from '../bench.js';
import { figure, ratio, type Figure } from '../figure.js';
import type { Work } from '../stopwatch.js';

const ONE_BY_ONE = 10;

const perSecond = ({ events, ms }: Work): number => (events * 1000) / ms;
const cpuPerEvent = ({ events, cpuUs }: Work): number => cpuUs / events;

/** The inbox in batches, the same inbox with one message at a time, and what one writes without an inbox. */
export async function inbox(bench: Bench): Promise<Figure[]> {
  const places = await bench.topic(await bench.database('inbox'), 'inbox');
  const { messages } = bench.sizes;
  const few = Math.ceil(messages / ONE_BY_ONE);
  // Each is another event, for the inbox handles none twice.
  const all = { count: messages, different: messages };
  await (await bench.side('bare-producer')).ask('send', { ...places, ...all, batch: 1000, atOnce: 1 });
  const ours = await bench.side('inbox');
  const single = await bench.side('inbox', 'inbox one by one');
  const bare = await bench.side('bare-consumer');
  const rounds = await bench.rounds('inbox', async (round) => {
    // A group of its own each time: it reads from the beginning, and its ids are new.
    const name = (what: string) => ({ name: `bench.${what}-${round}` });
    return inTurn(round, {
      one: () => single.ask('handle', { ...places, ...name('single'), count: few, batches: false }),
      scriptInBatches: () => bare.ask('handle', { ...places, ...name('bare-batches'), count: messages, batches: true }),
      batches: () => ours.ask('handle', { ...places, ...name('batches'), count: messages, batches: true }),
      script: () => bare.ask('handle', { ...places, ...name('bare'), count: few, batches: false }),
    });
  });
  const batches = rounds.map(({ batches: it }) => perSecond(it));
  const scripts = rounds.map(({ script }) => perSecond(script));
  const scriptsInBatches = rounds.map(({ scriptInBatches }) => perSecond(scriptInBatches));
  const singles = rounds.map(({ one }) => perSecond(one));
  return [
    ratio('inbox in batches / script one by one', batches, scripts, { direction: 'atLeast', must: 10, aim: 16 }),
    ratio('inbox in batches / script in batches', batches, scriptsInBatches),
    ratio('inbox in batches / inbox one by one', batches, singles),
    figure('inbox in batches', 'events/s', batches),
    figure('inbox one by one', 'events/s', singles),
    figure('script one by one', 'events/s', scripts),
    figure('script in batches', 'events/s', scriptsInBatches),
    figure(
      'CPU per event, inbox in batches',
      'µs',
      rounds.map((it) => cpuPerEvent(it.batches)),
    ),
    figure(
      'memory of the inbox, peak',
      'MiB',
      rounds.map((it) => it.batches.peakMiB),
    ),
  ];
}
