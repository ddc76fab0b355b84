import { inTurn, type Bench } from '../bench.js';
import { figure, percentile, ratio, type Figure, type Wanted } from '../figure.js';

/** Events may come this much later than the last was sent. */
const LATE_MS = 60_000;

interface Latency {
  readonly p50: number;
  readonly p99: number;
  /** Events of one second that were begun (committed): below the rate asked for, the other figures flatter. */
  readonly reached: number;
}

function latencyOf(from: Float64Array, until: Float64Array, warmUp: number): Latency {
  const all = from.map((begun, n) => (until[n] ?? Number.NaN) - begun).subarray(warmUp);
  const seconds = (percentile(from, 1) - percentile(from, 0)) / 1000;
  return { p50: percentile(all, 0.5), p99: percentile(all, 0.99), reached: from.length / seconds };
}

async function oneRound(bench: Bench, url: string, perSecond: number, round: number, bare: boolean): Promise<Latency> {
  const { latencySeconds, latencyWarmUpSeconds } = bench.sizes;
  const places = await bench.topic(url, `latency-${perSecond}-${bare ? 'bare' : 'ours'}-${round}`);
  const warmUp = perSecond * latencyWarmUpSeconds;
  const count = warmUp + perSecond * latencySeconds;
  const receiver = await bench.side('receiver', bare ? 'bare receiver' : 'receiver');
  await receiver.ask('listen', { ...places, count, bare });
  const given = { ...places, perSecond, count };
  const from = bare
    ? await (await bench.side('bare-producer')).ask('pace', given)
    : await (await bench.side('service')).ask('pace', given);
  return latencyOf(from, await receiver.ask('received', { within: LATE_MS }), warmUp);
}

/** From commit to receipt at a steady rate, against a round trip of the bare client without a database. */
export const latency =
  (perSecond: number, wanted?: Wanted) =>
  async (bench: Bench): Promise<Figure[]> => {
    const at = `at ${perSecond.toLocaleString('en')} events/s`;
    const url = await bench.database(`latency_${perSecond}`);
    const rounds = await bench.rounds(`latency ${at}`, (round) =>
      inTurn(
        round,
        () => oneRound(bench, url, perSecond, round, false),
        () => oneRound(bench, url, perSecond, round, true),
      ),
    );
    const ours = rounds.map(([it]) => it);
    const bare = rounds.map(([, it]) => it);
    const p50 = (of: Latency[]) => of.map((it) => it.p50);
    const p99 = (of: Latency[]) => of.map((it) => it.p99);
    return [
      ratio(`p99 commit to receive / bare round trip, ${at}`, p99(ours), p99(bare), wanted),
      figure(`p50 commit to receive, ${at}`, 'ms', p50(ours)),
      figure(`p99 commit to receive, ${at}`, 'ms', p99(ours)),
      figure(`p50 bare round trip, ${at}`, 'ms', p50(bare)),
      figure(`p99 bare round trip, ${at}`, 'ms', p99(bare)),
      figure(
        `committed, asked for ${perSecond.toLocaleString('en')} events/s`,
        'events/s',
        ours.map((it) => it.reached),
      ),
    ];
  };
