import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { topicsOfRecipient } from '@castiron/contracts';
import { SHORT } from '../plan/faults.js';
import { Random } from '../plan/random.js';
import { pause } from '../pause.js';
import { brokenBy, mustBePlanted, preloadOf } from '../plants/planted.js';
import { Cluster } from '../rig/cluster.js';
import { Nemesis } from '../rig/nemesis.js';
import { Calls } from '../workload/calls.js';
import type { Reach } from '../workload/fence.js';
import { registerPartner } from '../workload/partner.js';
import { registerAll } from './customers.js';
import { Cycles } from './cycles.js';
import { FeedEndsNow } from './ends.js';
import { Holder } from './holder.js';
import { killsOf } from './kills.js';
import { heldUpIn, lastBytesOf, leaksIn } from './leaks.check.js';
import { FENCE_PLANTS, type FencePlantName } from './plants.js';
import { recordsOf } from './records.js';
import type { FenceResult } from './result.js';
import type { FenceSize } from './sizes.js';

const LOOKS_EVERY_MS = 1_000;
const RESTS_WITHIN_MS = 60_000;

export interface FenceOptions {
  readonly size: FenceSize;
  readonly seed: number;
  readonly plant?: FencePlantName | undefined;
  /** Where the logs and the result go. */
  readonly folder: string;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Permissions are taken back while lanes are killed and their bytes held up; then the feed is compared with the answers. */
export async function runFence(options: FenceOptions): Promise<FenceResult> {
  const { size, seed, plant, folder, say } = options;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const holder = new Holder(size, new Random('held', seed));
  say(`Starting Kafka, PostgreSQL and two replicas of each service${plant === undefined ? '' : `, with ${plant}`} ...`);
  const cluster = await Cluster.start({
    folder: join(folder, 'logs'),
    nodeArguments: plant === undefined ? [] : ['--import', preloadOf(plant)],
    leaseMs: size.leaseMs,
    feedLeaseMs: size.feedLeaseMs,
    gate: holder.gate,
  });
  try {
    const result = await onCluster(cluster, holder, options);
    if (plant !== undefined) await mustBePlanted(FENCE_PLANTS[plant].edits, cluster);
    const broken = plant === undefined ? [] : (await brokenBy(cluster)).map(({ what }) => what);
    const whole = { ...result, wrong: [...broken, ...result.wrong] };
    await writeFile(join(folder, 'result.json'), JSON.stringify(whole, null, 2));
    return whole;
  } finally {
    await cluster.stop();
  }
}

async function onCluster(
  cluster: Cluster,
  holder: Holder,
  { size, seed, say, signal }: FenceOptions,
): Promise<FenceResult> {
  const slug = `f${seed}x${randomBytes(2).toString('hex')}`;
  await registerPartner(cluster.client, slug);
  const reach: Reach = {
    calls: new Calls(cluster.stack.identity),
    urlOf: (service, replica) => cluster.replicasOf(service)[replica]?.url ?? '',
  };
  say(`${size.customers} customers register ...`);
  const customers = await registerAll(reach, slug, size.customers);
  const admin = cluster.kafka().admin();
  const { name: topic } = topicsOfRecipient(slug).feed;
  const cycles = new Cycles(reach, slug, size, new FeedEndsNow(admin, topic));
  const nemesis = new Nemesis(cluster, () => undefined, {
    copyable: [],
    since: () => true,
    severity: { ...SHORT, lease: size.feedLeaseMs },
    seed,
  });

  const began = Date.now();
  const deadline = began + size.atMostMs;
  let killed = false;
  let enough = false;
  const isOver = () => signal.aborted || Date.now() > deadline || (enough && killed);
  const working = Promise.all(customers.map((customer, nth) => cycles.run(customer, nth, () => !isOver())));
  const killing = nemesis.run(killsOf(2 * size.feedLeaseMs), () => !isOver()).finally(() => (killed = true));
  try {
    while (!isOver()) {
      await pause(LOOKS_EVERY_MS);
      const ends = await admin.endOffsets(topic);
      const records = ends.reduce((sum, { offset }) => sum + Number(offset), 0);
      // Ticks are among them, which are counted out in the end.
      enough = records > size.records * 1.1 && holder.late >= size.late;
      say(
        `${records} records, ${holder.late} sends held up, ${nemesis.happened.length} kills, ${cycles.acts.length} acts`,
      );
    }
  } finally {
    holder.end();
    await killing;
    await working;
    await admin.close();
  }
  const seconds = (Date.now() - began) / 1_000;
  const unsettled = await untilQuiet(cluster);
  const { records, data } = await recordsOf(cluster, slug);
  const { acts } = cycles;
  const answered = acts.filter(({ answered: at }) => at !== undefined);
  const leaks = leaksIn(acts, records);
  const few = (what: string, count: number, least: number) => (count < least ? [`${count} ${what}, not ${least}`] : []);
  return {
    seconds,
    revocations: answered.length,
    records: data,
    others: records.filter(({ kept }) => kept !== undefined).length,
    late: holder.late,
    kills: nemesis.happened.length,
    answerMs: answered.map(({ invoked, answered: at = 0 }) => at - invoked),
    lastByteMs: lastBytesOf(acts, records),
    leaks,
    wrong: [
      ...(unsettled ? ['what was released did not come to rest'] : []),
      ...heldUpIn(new Map(customers.map(({ id, name }) => [id, name])), records),
      ...few(
        'revocations were answered 200 at first',
        answered.filter(({ wasLate }) => wasLate !== true).length,
        answered.length,
      ),
      ...nemesis.misdeeds,
      ...nemesis.missed.map((fault) => `${fault.kind} did not come to pass`),
    ],
    little: [
      ...few('records with data', data, size.records),
      ...few('sends arrived after they were given up', holder.late, size.late),
    ],
  };
}

/** @returns whether something is still on its way */
async function untilQuiet({ databases }: Cluster): Promise<boolean> {
  const deadline = Date.now() + RESTS_WITHIN_MS;
  for (;;) {
    const [row] = await databases.query<{ quiet: boolean }>(
      'partner-sharing',
      'SELECT NOT EXISTS (SELECT FROM pending_releases) AND NOT EXISTS (SELECT FROM sending_records) AS quiet',
    );
    if (row?.quiet === true) return false;
    if (Date.now() > deadline) return true;
    await pause(LOOKS_EVERY_MS / 4);
  }
}
