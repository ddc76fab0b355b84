import { inTurn, type Bench } from '../bench.js';
import { drainBy, watchTopic } from '../debezium/drain-by.js';
import { FIRST_ROWS, OutboxConnector } from '../debezium/outbox-connector.js';
import { figure, ratio, type Figure } from '../figure.js';
import { PostgresUse } from '../postgres-use.js';
import type { Work } from '../stopwatch.js';

/** The batch of the bare client: larger ones gain next to nothing. */
const RAW_BATCH = 1000;
/** Messages of the bare client, sent again and again: a heap full of a whole backlog would slow it down. */
const DIFFERENT = 20_000;
type Side = Work & { readonly peakMiB: number; readonly postgresUs?: number };

const perSecond = ({ events, ms }: Work): number => (events * 1000) / ms;
const cpuPerEvent = ({ events, cpuUs }: Work): number => cpuUs / events;
const withPostgres = ({ events, cpuUs, postgresUs = Number.NaN }: Side): number => (cpuUs + postgresUs) / events;
const peak = ({ peakMiB }: Side): number => peakMiB;

/** Everybody who sent the backlog sent the same, or the comparison is none. */
async function assertSame(bench: Bench, topic: string, raw: string, times: number): Promise<void> {
  const inspector = await bench.side('inspector');
  const { kafka, sizes } = bench;
  const same = await inspector.ask('identical', { kafka, topic, times });
  if (same !== sizes.backlog) throw new Error(`of ${sizes.backlog} events, ${same} are the same from all sides`);
  const strange = await inspector.ask('strange', { kafka, topic: raw, of: topic });
  if (strange > 0) throw new Error(`${strange} messages of the bare client are not those of the relay`);
}

/** The same, with what PostgreSQL used meanwhile. */
async function usingPostgres(postgres: PostgresUse | undefined, drained: () => Promise<Side>): Promise<Side> {
  const before = postgres?.cpuUs();
  const side = await drained();
  return before === undefined ? side : { ...side, postgresUs: (postgres?.cpuUs() ?? Number.NaN) - before };
}

async function measure(bench: Bench, name: string, compression: 'uncompressed' | 'gzip', withDebezium: boolean) {
  const url = await bench.database(name);
  const count = bench.sizes.backlog;
  const writer = await bench.side('writer');
  const relay = await bench.side('relay');
  const raw = await bench.side('bare-producer');
  const postgres = process.platform === 'linux' ? await PostgresUse.of(url) : undefined;
  const connectors = !withDebezium
    ? undefined
    : {
        tuned: await OutboxConnector.make(bench, url, 'tuned'),
        default: await OutboxConnector.make(bench, url, 'default'),
      };
  if (connectors) await relay.ask('drain', { url, kafka: bench.kafka, count: 2 * FIRST_ROWS });
  const rounds = await bench.rounds(name, async (round) => {
    const places = await bench.topic(url, `${name}-${round}`, compression);
    const bare = await bench.topic(url, `${name}-raw-${round}`, compression);
    await writer.ask('fill', { ...places, count });
    const done = await inTurn(round, {
      eager: () => raw.ask('send', { ...bare, count, different: DIFFERENT, batch: RAW_BATCH, atOnce: 2 }),
      raw: () => raw.ask('send', { ...bare, count, different: DIFFERENT, batch: RAW_BATCH, atOnce: 1 }),
      relay: () =>
        usingPostgres(postgres, () =>
          // Watched like Debezium, for watching costs something.
          watchTopic(bench, places.topic, () => relay.ask('drain', { ...places, count })),
        ),
      debezium: async () =>
        connectors &&
        inTurn(round, {
          tuned: () => usingPostgres(postgres, () => drainBy(bench, connectors.tuned, places.topic, count)),
          default: () => drainBy(bench, connectors.default, places.topic, count),
        }),
    });
    const times = connectors === undefined ? 1 : 3;
    for (const [topic, senders] of [
      [places.topic, times],
      [bare.topic, 2],
    ] as const) {
      const arrived = await bench.recordsOn(topic);
      if (arrived !== senders * count)
        throw new Error(`${arrived} records arrived on ${topic} of ${senders} x ${count}`);
    }
    // Reading takes long; what is the same in the round that does not count is so in the others.
    if (round === 0) await assertSame(bench, places.topic, bare.topic, times);
    return done;
  });
  for (const connector of Object.values(connectors ?? {})) await connector.drop();
  return {
    relay: rounds.map((it) => it.relay),
    raw: rounds.map((it) => it.raw),
    eager: rounds.map((it) => it.eager),
    tuned: rounds.flatMap(({ debezium }) => debezium?.tuned ?? []),
    default: rounds.flatMap(({ debezium }) => debezium?.default ?? []),
  };
}

type Drained = Awaited<ReturnType<typeof measure>>;

function againstDebezium({ relay, raw, tuned, default: untuned }: Drained): Figure[] {
  const speed = relay.map(perSecond);
  return [
    ratio('relay drain / tuned Debezium', speed, tuned.map(perSecond), { direction: 'atLeast', must: 1.3, aim: 2 }),
    ratio('CPU per event, relay / tuned Debezium', relay.map(cpuPerEvent), tuned.map(cpuPerEvent), {
      direction: 'atMost',
      must: 0.5,
      aim: 0.3,
    }),
    ratio('CPU per event with PostgreSQL, relay / tuned Debezium', relay.map(withPostgres), tuned.map(withPostgres)),
    ratio('relay drain / default Debezium', speed, untuned.map(perSecond)),
    ratio('tuned Debezium / raw kafkajs', tuned.map(perSecond), raw.map(perSecond)),
    figure('tuned Debezium', 'events/s', tuned.map(perSecond)),
    figure('default Debezium', 'events/s', untuned.map(perSecond)),
    figure('CPU per event with PostgreSQL, relay', 'µs', relay.map(withPostgres)),
    figure('CPU per event with PostgreSQL, tuned Debezium', 'µs', tuned.map(withPostgres)),
    figure('CPU per event, tuned Debezium', 'µs', tuned.map(cpuPerEvent)),
    figure('CPU per event, default Debezium', 'µs', untuned.map(cpuPerEvent)),
    figure('memory of Kafka Connect, peak while draining', 'MiB', tuned.map(peak)),
  ];
}

/** A backlog through the relay, against the bare client with the same messages in memory, and against Debezium. */
export async function drain(bench: Bench): Promise<Figure[]> {
  const drained = await measure(bench, 'drain', 'uncompressed', bench.debezium !== undefined);
  const { relay, raw, eager } = drained;
  return [
    ratio('relay drain / raw kafkajs, batches of 1,000', relay.map(perSecond), raw.map(perSecond), {
      direction: 'atLeast',
      must: 0.5,
      aim: 0.65,
    }),
    ratio('relay drain / raw kafkajs with two sends at once', relay.map(perSecond), eager.map(perSecond)),
    figure('relay drain', 'events/s', relay.map(perSecond)),
    figure('raw kafkajs', 'events/s', raw.map(perSecond)),
    figure('CPU per event, relay', 'µs', relay.map(cpuPerEvent)),
    figure('CPU per event, raw kafkajs', 'µs', raw.map(cpuPerEvent)),
    figure('memory of the relay, peak while draining', 'MiB', relay.map(peak)),
    ...(drained.tuned.length > 0 ? againstDebezium(drained) : []),
  ];
}

/** The same on topics as the product makes them, where the broker compresses. */
export async function drainCompressed(bench: Bench): Promise<Figure[]> {
  const { relay, raw } = await measure(bench, 'drain_gzip', 'gzip', false);
  return [
    ratio('relay drain / raw kafkajs, the broker compresses', relay.map(perSecond), raw.map(perSecond)),
    figure('relay drain, the broker compresses', 'events/s', relay.map(perSecond)),
  ];
}
