import { inTurn, type Bench } from '../bench.js';
import { drainBy } from '../debezium/drain-by.js';
import { OutboxConnector, type Tuning } from '../debezium/outbox-connector.js';
import { figure, percentile, ratio, type Figure, type Wanted } from '../figure.js';
import type { Paced } from '../pace.js';
import type { OnTopic } from '../places.js';

/** Events may come this much later than the last was sent. */
const LATE_MS = 60_000;
/** Of a round: enough to warm up, and for what nothing is demanded of. */
const SHORT = 0.25;

/** Of the rate asked for; below it a round says nothing of that rate. */
const IN_TIME = 0.95;

interface Latency {
  readonly p50: number;
  readonly p99: number;
  /** From when it was due on: what waits before its commit is in it, and no clock of the one who commits. */
  readonly p99Due: number;
  /** Events of one second that were begun (committed): below the rate asked for, the other figures flatter. */
  readonly reached: number;
  /** Events of one second that came. */
  readonly received: number;
}

/** Of one second, from the first to the last. */
const rateOf = (times: Float64Array): number => (times.length * 1000) / (percentile(times, 1) - percentile(times, 0));

/** @param warmUp events at first that do not count */
export function latencyOf({ due, begun }: Paced, until: Float64Array, warmUp: number): Latency {
  const since = (from: Float64Array) => from.map((at, n) => (until[n] ?? Number.NaN) - at).subarray(warmUp);
  return {
    p50: percentile(since(begun), 0.5),
    p99: percentile(since(begun), 0.99),
    p99Due: percentile(since(due), 0.99),
    reached: rateOf(begun.subarray(warmUp)),
    received: rateOf(until.subarray(warmUp)),
  };
}

type Sending = (given: OnTopic & { perSecond: number; count: number }) => Promise<Paced>;

/** How many events a second, and for which part of a round's length. */
interface Pace {
  readonly perSecond: number;
  readonly part: number;
}

/** A virtual machine that has sent a few thousand rows has hardly compiled what it needs. */
async function warmUp(bench: Bench, url: string, by: Record<Tuning, OutboxConnector>): Promise<void> {
  const count = bench.sizes.backlog;
  const places = await bench.topic(url, `warm-${new URL(url).pathname.slice(1).replaceAll('_', '-')}`);
  process.stderr.write(`warming Debezium up with ${count} events\n`);
  await (await bench.side('writer')).ask('fill', { ...places, count });
  for (const connector of Object.values(by)) await drainBy(bench, connector, places.topic, count);
}

/** What the sides of one rate share. */
class Rate {
  private constructor(
    private readonly bench: Bench,
    readonly perSecond: number,
    private readonly url: string,
    private readonly debezium: { readonly url: string; readonly by: Record<Tuning, OutboxConnector> } | undefined,
  ) {}

  static async of(bench: Bench, perSecond: number, withDebezium: boolean): Promise<Rate> {
    const url = await bench.database(`latency_${perSecond}`);
    if (!withDebezium || bench.debezium === undefined) return new Rate(bench, perSecond, url, undefined);
    // A database of its own: what our rounds commit is not for it to send.
    const theirs = await bench.database(`latency_${perSecond}_debezium`);
    const make = (tuning: Tuning) => OutboxConnector.make(bench, theirs, tuning);
    const by = { tuned: await make('tuned'), default: await make('default') };
    await warmUp(bench, theirs, by);
    return new Rate(bench, perSecond, url, { url: theirs, by });
  }

  /** One round of every side; the one that warms up is not asked for all that a cold broker would not stand. */
  round(round: number) {
    const { debezium } = this;
    const full = round === 0 ? SHORT : 1;
    const perSecond = round === 0 ? this.perSecond / 2 : this.perSecond;
    return inTurn(round, {
      bare: () =>
        this.side(`bare-${round}`, { perSecond, part: full }, true, async (given) =>
          (await this.bench.side('bare-producer')).ask('pace', given),
        ),
      ours: () =>
        this.side(`ours-${round}`, { perSecond, part: full }, false, async (given) =>
          (await this.bench.side('service')).ask('pace', { ...given, relay: true }),
        ),
      tuned: async () =>
        debezium && this.throughDebezium(debezium.by.tuned, debezium.url, round, { perSecond, part: full }),
      default: async () =>
        debezium && this.throughDebezium(debezium.by.default, debezium.url, round, { perSecond, part: SHORT }),
    });
  }

  async end(): Promise<void> {
    for (const connector of Object.values(this.debezium?.by ?? {})) await connector.drop();
  }

  private async throughDebezium(connector: OutboxConnector, url: string, round: number, pace: Pace): Promise<Latency> {
    await connector.resume();
    const sending: Sending = async (given) =>
      (await this.bench.side('service', 'service without relay')).ask('pace', { ...given, url, relay: false });
    const latency = await this.side(`${connector.tuning}-${round}`, pace, false, sending);
    await connector.pause();
    return latency;
  }

  private async side(name: string, { perSecond, part }: Pace, bare: boolean, send: Sending): Promise<Latency> {
    const { bench } = this;
    const { latencySeconds, latencyWarmUpSeconds } = bench.sizes;
    const places = await bench.topic(this.url, `latency-${this.perSecond}-${name}`);
    const warmUp = perSecond * latencyWarmUpSeconds;
    const count = warmUp + Math.ceil(perSecond * latencySeconds * part);
    const receiver = await bench.side(bare ? 'bare-receiver' : 'receiver');
    await receiver.ask('listen', { ...places, count });
    const paced = await send({ ...places, perSecond, count });
    return latencyOf(paced, await receiver.ask('received', { within: LATE_MS }), warmUp);
  }
}

const p50 = (of: readonly Latency[]) => of.map((it) => it.p50);
const p99 = (of: readonly Latency[]) => of.map((it) => it.p99);
const p99Due = (of: readonly Latency[]) => of.map((it) => it.p99Due);
const reached = (of: readonly Latency[]) => of.map((it) => it.reached);
const received = (of: readonly Latency[]) => of.map((it) => it.received);

export interface LatencyWanted {
  /** Of the ratio to the bare client's round trip. */
  readonly bare?: Wanted;
  /** Of the ratio to Debezium, which is not measured without. */
  readonly debezium?: Wanted;
}

/**
 * From commit to receipt at a steady rate, against a round trip of the bare client without a database, and against the
 * same commits with Debezium in the place of our relay.
 */
export const latency =
  (perSecond: number, wanted: LatencyWanted) =>
  async (bench: Bench): Promise<Figure[]> => {
    const at = `at ${perSecond.toLocaleString('en')} events/s`;
    const inTime: Wanted = { direction: 'atLeast', must: IN_TIME * perSecond };
    const rate = await Rate.of(bench, perSecond, wanted.debezium !== undefined);
    const rounds = await bench.rounds(`latency ${at}`, (round) => rate.round(round));
    await rate.end();
    const ours = rounds.map((it) => it.ours);
    const bare = rounds.map((it) => it.bare);
    const tuned = rounds.flatMap((it) => it.tuned ?? []);
    const untuned = rounds.flatMap((it) => it.default ?? []);
    return [
      ratio(`p99 commit to receive / bare round trip, ${at}`, p99(ours), p99(bare), wanted.bare),
      figure(`p50 commit to receive, ${at}`, 'ms', p50(ours)),
      figure(`p99 commit to receive, ${at}`, 'ms', p99(ours)),
      figure(`p99 due to receive, ${at}`, 'ms', p99Due(ours)),
      figure(`p50 bare round trip, ${at}`, 'ms', p50(bare)),
      figure(`p99 bare round trip, ${at}`, 'ms', p99(bare)),
      // Where commits fall behind, less was asked of what is measured.
      figure(`committed, ${at}`, 'events/s', reached(ours), inTime),
      // A bare client that falls behind waits for itself. By when its events came: handed over in time they always are.
      figure(`received from the bare client, ${at}`, 'events/s', received(bare), inTime),
      ...(tuned.length > 0
        ? [
            ratio(`p99 commit to receive / tuned Debezium, ${at}`, p99(ours), p99(tuned), wanted.debezium),
            ratio(`p99 due to receive / tuned Debezium, ${at}`, p99Due(ours), p99Due(tuned)),
            figure(`p50 tuned Debezium, ${at}`, 'ms', p50(tuned)),
            figure(`p99 tuned Debezium, ${at}`, 'ms', p99(tuned)),
            figure(`p50 default Debezium, ${at}`, 'ms', p50(untuned)),
            figure(`p99 default Debezium, ${at}`, 'ms', p99(untuned)),
            figure(`committed for tuned Debezium, ${at}`, 'events/s', reached(tuned), inTime),
          ]
        : []),
    ];
  };
