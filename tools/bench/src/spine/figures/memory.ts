import { profileChanged, topicOf } from '@castiron/contracts';
import { startCastiron } from '@castiron/local-stack';
import pg from 'pg';
import type { Bench } from '../bench.js';
import { figure, type Figure, type Wanted } from '../figure.js';
import { ProcessUse } from '../process-use.js';
import { leftWhenSent } from './left-when-sent.js';

const SERVICES = ['customer-profiles', 'partner-sharing'] as const;
const [SENDER, RECEIVER] = SERVICES;
const TOPIC = topicOf(profileChanged).name;
/** 400 MB. */
const LIMIT: Wanted = { direction: 'atMost', must: 400e6 / 2 ** 20 };
/** Of a backlog, what must be left to handle when the last of it was sent: with less, little piled up before who handles. */
const BEHIND: Wanted = { direction: 'atLeast', must: 10 };

async function leftToReceiver(bench: Bench, count: number): Promise<number> {
  const client = new pg.Client(bench.stack.postgres[RECEIVER]);
  await client.connect();
  const countOf = async (of: string): Promise<number> => {
    const { rows } = await client.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${of}`);
    return rows[0]?.n ?? 0;
  };
  try {
    return await leftWhenSent({
      count,
      // A broker that was just thawed may not know yet who leads: not all of it is seen to be sent then.
      sent: () => bench.recordsOn(TOPIC).catch(() => 0),
      handled: async () => {
        const handled = await countOf(`inbox WHERE topic = '${TOPIC}'`);
        process.stderr.write(`memory: ${handled} of ${count} handled\n`);
        return handled;
      },
      parked: () => countOf('parked_messages'),
    });
  } finally {
    await client.end();
  }
}

const figuresOf = (sender: number, receiver: number, left: number): Figure[] => [
  figure('memory of a service that sends its backlog, peak', 'MiB', [sender], LIMIT),
  figure('memory of a service slower than its topic, peak', 'MiB', [receiver], LIMIT),
  figure('left to the slower service when all was sent', '% of the backlog', [left], BEHIND),
];

/**
 * A backlog that piles up in the outbox of a service while Kafka is away, then sent by it and handled by another one, which
 * is slower than that. Both are the product's own processes with their own heap limits; of each the most it ever had.
 */
export async function memory(bench: Bench): Promise<Figure[]> {
  // What another process uses is read from Linux's /proc.
  if (process.platform !== 'linux') return figuresOf(Number.NaN, Number.NaN, Number.NaN);
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
    const left = await leftToReceiver(bench, count);
    const peak = (service: string) => new ProcessUse(castiron.parts[service]?.pid ?? 0).peakMiB();
    return figuresOf(peak(SENDER), peak(RECEIVER), (left / count) * 100);
  } finally {
    await castiron.stop();
  }
}
