import { profileChanged, topicOf } from '@castiron/contracts';
import { startCastiron } from '@castiron/local-stack';
import pg from 'pg';
import type { Bench } from '../bench.js';
import { figure, type Figure, type Wanted } from '../figure.js';
import { ProcessUse } from '../process-use.js';

const SERVICES = ['customer-profiles', 'partner-sharing'] as const;
const [SENDER, RECEIVER] = SERVICES;
const TOPIC = topicOf(profileChanged).name;
/** How often it is asked what was handled. */
const LOOK_MS = 2_000;
const STANDSTILL_MS = 120_000;
/** 400 MB. */
const LIMIT: Wanted = { direction: 'atMost', must: 400e6 / 2 ** 20 };

/** Waits until partner-sharing has handled so many. */
async function handled(url: string, count: number): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    let [before, movedAt] = [0, performance.now()];
    while (before < count) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      const { rows } = await client.query<{ n: number }>(`SELECT count(*)::int AS n FROM inbox WHERE topic = $1`, [
        TOPIC,
      ]);
      const n = rows[0]?.n ?? 0;
      if (n > before) movedAt = performance.now();
      else if (performance.now() - movedAt > STANDSTILL_MS) throw new Error(`only ${n} of ${count} were handled`);
      before = n;
      process.stderr.write(`memory: ${n} of ${count} handled\n`);
    }
  } finally {
    await client.end();
  }
}

/**
 * A backlog that piles up in the outbox of a service while Kafka is away, then sent by it and handled by another one, which
 * is slower than that. Both are the product's own processes with their own heap limits; of each the most it ever had.
 */
export async function memory(bench: Bench): Promise<Figure[]> {
  // What another process uses is read from Linux's /proc.
  if (process.platform !== 'linux') return [];
  const count = bench.sizes.memoryBacklog;
  const { postgres } = bench.stack;
  const castiron = await startCastiron(bench.stack, { services: SERVICES });
  try {
    const { kafka } = bench.stack.parts;
    await kafka.freeze();
    process.stderr.write(`memory: writing ${count} events while Kafka is away\n`);
    const places = { url: postgres[SENDER], kafka: bench.kafka, topic: TOPIC };
    await (await bench.side('writer')).ask('fill', { ...places, count });
    await kafka.thaw();
    await handled(postgres[RECEIVER], count);
    const peak = (service: string) => new ProcessUse(castiron.parts[service]?.pid ?? 0).peakMiB();
    return [
      figure('memory of a service that sends its backlog, peak', 'MiB', [peak(SENDER)], LIMIT),
      figure('memory of a service slower than its topic, peak', 'MiB', [peak(RECEIVER)], LIMIT),
    ];
  } finally {
    await castiron.stop();
  }
}
