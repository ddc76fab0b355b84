import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import pg from 'pg';
import { Bench, QUICK } from '../spine/bench.js';
import { load, machine } from '../spine/machine.js';
import { onStack } from '../spine/on-stack.js';
import type { Side } from '../spine/side.js';
import type { Programs } from '../spine/sides/programs.js';
import { plot } from './plot.js';
import { verdictOf, type Series, type Verdict } from './series.js';
import { inboxBytes, outboxOf } from './tables.js';

const CLIENTS = 32;
const TOP_SECONDS = 20;
const SAMPLES = 180;
const SHORTEST_SAMPLE_SECONDS = 2;
/** From one line that says how it goes to the next. */
const TOLD_MS = 60_000;
/** What may stand in the way at the end of a stretch. */
const CAUGHT_UP_WITHIN_MS = 120_000;
const LOOK_MS = 100;
/** Of the time that a rate takes, by which it may be late: above it, less was asked than is said. */
const LATE = 0.05;
/** Ids that may lie in partitions which are not dropped yet: the one in use, and what the relay has not looked at since. */
const IDS_KEPT = 300_000;

const shown = (value: number): string => String(Number(value.toPrecision(3)));

interface Stage {
  readonly sender: Side<Programs['soak-sender']>;
  readonly receiver: Side<Programs['soak-receiver']>;
  readonly outbox: pg.Client;
  readonly inbox: pg.Client;
}

interface Sample {
  readonly at: number;
  readonly senderMiB: number;
  readonly receiverMiB: number;
  readonly outboxMiB: number;
  readonly dead: number;
  readonly idsKept: number;
  readonly bytesPerHandled: number;
  readonly inboxMiB: number;
  readonly waiting: number;
  readonly p50: number;
  readonly p99: number;
}

async function look(at: number, { sender, receiver, outbox, inbox }: Stage): Promise<Sample> {
  const sent = await sender.ask('look', {});
  const effects = await receiver.ask('look', {});
  const { outboxMiB, dead, firstId, lastId } = await outboxOf(outbox);
  const bytes = await inboxBytes(inbox);
  return {
    at,
    senderMiB: sent.residentMiB,
    receiverMiB: effects.residentMiB,
    outboxMiB,
    dead,
    idsKept: lastId - firstId,
    bytesPerHandled: bytes / effects.handled,
    inboxMiB: bytes / 2 ** 20,
    waiting: Math.max(0, sent.published - effects.handled),
    p50: effects.latency?.p50 ?? Number.NaN,
    p99: effects.latency?.p99 ?? Number.NaN,
  };
}

/** Returns when there are as many effects as events. */
async function caughtUp({ sender, receiver }: Stage): Promise<void> {
  const { published } = await sender.ask('look', {});
  const deadline = performance.now() + CAUGHT_UP_WITHIN_MS;
  for (;;) {
    const { handled } = await receiver.ask('look', {});
    if (handled === published) return;
    if (handled > published) throw new Error(`${handled} effects of ${published} events`);
    if (performance.now() > deadline) throw new Error(`${published - handled} events have had no effect`);
    await new Promise((resolved) => setTimeout(resolved, LOOK_MS));
  }
}

/** What the whole way takes at most: effects of one second while clients publish as fast as they can. */
async function topRate(stage: Stage): Promise<number> {
  const flatOut = (seconds: number) => stage.sender.ask('flatOut', { clients: CLIENTS, seconds });
  await flatOut(TOP_SECONDS / 4);
  const from = performance.now();
  const before = (await stage.receiver.ask('look', {})).handled;
  await flatOut(TOP_SECONDS);
  const { handled } = await stage.receiver.ask('look', {});
  const rate = ((handled - before) * 1000) / (performance.now() - from);
  await caughtUp(stage);
  return rate;
}

async function samplesOf(
  stage: Stage,
  perSecond: number,
  seconds: number,
): Promise<{ samples: Sample[]; tookSeconds: number }> {
  const every = Math.max(SHORTEST_SAMPLE_SECONDS, seconds / SAMPLES) * 1000;
  const samples: Sample[] = [];
  const from = performance.now();
  let ended = false;
  let told = from;
  const pacing = stage.sender.ask('pace', { perSecond, seconds }).finally(() => (ended = true));
  await look(0, stage);
  for (let n = 1; !ended; n += 1) {
    const pause = from + n * every - performance.now();
    await Promise.race([pacing, new Promise((resolved) => setTimeout(resolved, pause))]);
    if (ended) break;
    const sample = await look((performance.now() - from) / 1000, stage);
    samples.push(sample);
    if (performance.now() - told < TOLD_MS) continue;
    told += TOLD_MS;
    console.log(
      `${Math.round(sample.at / 60)} min: p99 ${shown(sample.p99)} ms, outbox ${shown(sample.outboxMiB)} MiB`,
    );
  }
  await pacing;
  const tookSeconds = (performance.now() - from) / 1000;
  await caughtUp(stage);
  return { samples, tookSeconds };
}

function series(samples: readonly Sample[], name: string, unit: string, of: keyof Sample): Series {
  const points = samples.map((sample) => ({ at: sample.at, value: sample[of] }));
  return { name, unit, points: points.filter(({ value }) => Number.isFinite(value)) };
}

/** What is seen, and by how much each may rise from the end of the warm-up on: of its median, or in any case. */
function judged(samples: readonly Sample[], perSecond: number) {
  const it = {
    sender: series(samples, 'sender (relay)', 'MiB', 'senderMiB'),
    receiver: series(samples, 'receiver (inbox)', 'MiB', 'receiverMiB'),
    outbox: series(samples, 'outbox', 'MiB', 'outboxMiB'),
    dead: series(samples, 'dead rows of the outbox', 'rows', 'dead'),
    waiting: series(samples, 'published, without an effect yet', 'events', 'waiting'),
    idsKept: series(samples, 'ids of partitions not dropped', 'ids', 'idsKept'),
    inbox: series(samples, 'inbox', 'MiB', 'inboxMiB'),
    bytesPerHandled: series(samples, 'inbox, for each event remembered', 'bytes', 'bytesPerHandled'),
    p50: series(samples, 'p50', 'ms', 'p50'),
    p99: series(samples, 'p99', 'ms', 'p99'),
  };
  const verdicts = [
    verdictOf(it.sender, 0.1, 20),
    verdictOf(it.receiver, 0.1, 20),
    verdictOf(it.outbox, 0.25, 10),
    verdictOf(it.dead, 0.5, 2_000),
    // What waits for its connection is not in the latency, which begins in the transaction.
    verdictOf(it.waiting, 0.5, perSecond / 4),
    verdictOf(it.bytesPerHandled, 0.1, 0),
    verdictOf(it.p50, 0.25, 1),
    verdictOf(it.p99, 0.5, 5),
  ];
  const panels = [
    { title: 'Memory', series: [it.sender, it.receiver] },
    { title: 'Outbox', series: [it.outbox] },
    { title: 'Outbox, dead rows', series: [it.dead] },
    { title: 'Outbox, ids in partitions that are not dropped yet', series: [it.idsKept] },
    { title: 'Inbox: remembers every event until its retention ends', series: [it.inbox] },
    { title: 'Begun, and without an effect yet', series: [it.waiting] },
    { title: 'From publishing to the committed effect', series: [it.p50, it.p99] },
  ];
  return { verdicts, panels };
}

function lineOf({ name, unit, median, rise, lateRise, bound, flat }: Verdict): string {
  const verdict = flat ? 'flat' : 'NOT FLAT';
  return `| ${name} | ${shown(median)} ${unit} | ${shown(rise)} | ${shown(lateRise)} | ${shown(bound)} | ${verdict} |`;
}

/** Why the partitions of the outbox cannot be said to go, if so. */
function partitionsKept(samples: readonly Sample[], published: number): string | undefined {
  if (published < 2 * IDS_KEPT) return `too short: ${published} events do not fill the partitions that may be there`;
  const most = Math.max(...samples.map(({ idsKept }) => idsKept));
  return most > IDS_KEPT ? `partitions were not dropped: they held ${most} ids` : undefined;
}

export interface SoakOptions {
  readonly minutes: number;
  readonly svg?: string;
  readonly json?: string;
}

/** Half of what the spine takes at most, for long. @returns whether memory, tables and latency stayed flat */
export function soak({ minutes, svg, json }: SoakOptions): Promise<boolean> {
  const before = load();
  const from = process.env['INIT_CWD'] ?? process.cwd();
  return onStack(async (stack) => {
    const bench = new Bench(stack, QUICK);
    const [sending, receiving] = [await bench.database('soak'), await bench.database('soak_receiver')];
    const [outbox, inbox] = [new pg.Client(sending), new pg.Client(receiving)];
    await Promise.all([outbox.connect(), inbox.connect()]);
    try {
      const places = await bench.topic(sending, 'soak');
      const stage = {
        sender: await bench.side('soak-sender'),
        receiver: await bench.side('soak-receiver'),
        outbox,
        inbox,
      };
      await stage.receiver.ask('start', { ...places, url: receiving });
      await stage.sender.ask('start', places);
      const top = await topRate(stage);
      const perSecond = Math.round(top / 2);
      console.log(`top rate ${Math.round(top)} events/s; ${minutes} minutes at ${perSecond}`);
      const { samples, tookSeconds } = await samplesOf(stage, perSecond, minutes * 60);
      const { published } = await stage.sender.ask('look', {});
      await stage.sender.ask('stop', {});
      await stage.receiver.ask('stop', {});
      const { verdicts, panels } = judged(samples, perSecond);
      const late =
        tookSeconds > minutes * 60 * (1 + LATE)
          ? `the rate was not reached: it took ${Math.round(tookSeconds)} s`
          : undefined;
      const kept = late ?? partitionsKept(samples, published);
      const about = { machine: machine(before), minutes, topRate: Math.round(top), perSecond, published };
      console.log(
        `\n| | median | rise | last tenth above the first | may rise by | |\n| --- | --- | --- | --- | --- | --- |`,
      );
      console.log(verdicts.map(lineOf).join('\n'));
      console.log(`\nas many effects as events, ${published}; ${kept ?? 'sent partitions were dropped'}`);
      console.log(JSON.stringify(about));
      const title = `${minutes} minutes at ${perSecond} events/s, half of what ${about.machine.cores} cores take`;
      if (svg !== undefined) await writeFile(resolve(from, svg), plot(title, panels));
      if (json !== undefined)
        await writeFile(resolve(from, json), `${JSON.stringify({ ...about, verdicts, kept, samples }, null, 2)}\n`);
      return kept === undefined && verdicts.every(({ flat }) => flat);
    } finally {
      await Promise.all([outbox.end(), inbox.end()]);
      await bench.close();
    }
  });
}
