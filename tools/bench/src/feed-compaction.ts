import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FEED_TICK_TYPE, feeds, typeOf } from '@castiron/contracts';
import { connect, readAll, type Kafka } from '@castiron/kafka';
import { startCastiron, startStack, type HttpClient } from '@castiron/local-stack';

const SLUG = 'quiet-partner';
const PROMISED_MINUTES = 30;
const GIVEN_UP_AFTER_MINUTES = 60;
/** Kafka's own; the local broker cleans more often. */
const CLEANER = { 'log.cleaner.backoff.ms': '15000' };

const OFFICER = ['privacy-officer', 'officer-1'] as const;
const LOOK_MS = 5_000;
const KNOWN_WITHIN_MS = 60_000;
const DAY_MS = 86_400_000;

/** What anyone who may read the feed can get of it. */
interface Readable {
  readonly value: boolean;
  /** When the broker appended the withdrawal, and the ticks after it. */
  readonly withdrawnAt: Date | undefined;
  readonly ticks: readonly Date[];
}

async function read(kafka: Kafka, value: string): Promise<Readable> {
  const feed = feeds.of(SLUG).name;
  let found = false;
  let withdrawal: { partition: number; timestamp: Date } | undefined;
  const ticks: { partition: number; timestamp: Date }[] = [];
  for await (const message of readAll(kafka, feed, { uncommitted: true })) {
    if (typeOf(message) === FEED_TICK_TYPE) ticks.push(message);
    else if (message.value?.includes(value)) found = true;
    else withdrawal = message;
  }
  const ofPartition = ticks.filter(({ partition }) => partition === withdrawal?.partition);
  return { value: found, withdrawnAt: withdrawal?.timestamp, ticks: ofPartition.map(({ timestamp }) => timestamp) };
}

/** Whether the feed came to be like this before the time was over. */
async function comesTrue(
  ask: () => Promise<Readable>,
  isSo: (now: Readable) => boolean,
  minutes: number,
): Promise<Readable> {
  const deadline = Date.now() + minutes * 60_000;
  for (;;) {
    const now = await ask();
    if (isSo(now)) return now;
    if (Date.now() > deadline) throw new Error(`not so after ${minutes} minutes`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** A partner with an agreement, and a customer that permits it to have its name. @returns the customer */
async function share(client: HttpClient, companyName: string): Promise<string> {
  const sharing = (path: string, as: readonly [string, string], body: unknown) =>
    client.must('partner-sharing', 'POST', path, { as, body });
  await sharing('/recipients', OFFICER, { slug: SLUG, name: 'Quiet Partner', kind: 'third-party' });
  const terms = {
    purposes: [{ purpose: 'recommendation', attributes: ['companyName'], ground: 'permission' }],
    highestTier: 'confidential',
    from: new Date(Date.now() - DAY_MS).toISOString(),
    until: new Date(Date.now() + DAY_MS).toISOString(),
  };
  const { agreement } = (await sharing('/agreements', OFFICER, { recipient: SLUG, terms })).body;
  const sign = (side: string, as: readonly [string, string]) =>
    sharing(`/agreements/${String(agreement)}/signatures`, as, { side, name: 'A Signer', role: 'Director' });
  await sign('company', OFFICER);
  await sign('partner', ['partner', SLUG]);
  const attributes = { companyName, servicesUsed: 'web', registeredAddress: '1 Road', email: 'a@quiet.example' };
  const registered = await client.must('customer-profiles', 'POST', '/registrations/service-order', {
    as: ['service', 'portal'],
    body: { attributes },
    key: randomUUID(),
  });
  const customer = String(registered.body['customer']);
  await client.must('partner-sharing', 'PUT', `/customers/${customer}/permissions/${SLUG}/recommendation`, {
    as: ['customer', customer],
    body: { how: 'ticked in the portal', givenAt: new Date().toISOString(), statementVersion: 1 },
    within: KNOWN_WITHIN_MS,
  });
  return customer;
}

/**
 * How long a value stays readable on the broker after its withdrawal, on a partition that gets nothing afterwards, with the
 * settings of the product. Idle for most of its time.
 * @returns whether it was gone in the time promised
 */
export async function benchFeedCompaction(): Promise<boolean> {
  const dataDir = join(tmpdir(), `castiron-bench-${process.pid}-${Date.now()}`);
  const stack = await startStack({ dataDir, kafkaSettings: CLEANER });
  try {
    const castiron = await startCastiron(stack, { services: ['customer-profiles', 'partner-sharing'] });
    try {
      const { client } = castiron;
      const kafka = connect({
        brokers: [stack.kafka.bootstrap],
        clientId: 'bench',
        ...(stack.kafka.principals['admin'] ?? { username: '', password: '' }),
      });
      const name = `Gone ${randomUUID()}`;
      const ask = () => read(kafka, name);
      const customer = await share(client, name);
      await comesTrue(ask, ({ value }) => value, 1);
      await client.must('partner-sharing', 'DELETE', `/customers/${customer}/permissions/${SLUG}/recommendation`, {
        as: ['customer', customer],
      });
      await comesTrue(ask, ({ withdrawnAt }) => withdrawnAt !== undefined, 1);
      console.log('withdrawn; now the broker has to forget');
      let ticks: readonly Date[] = [];
      const gone = await comesTrue(
        async () => {
          const now = await ask();
          // One that was seen may be compacted away.
          ticks = [...new Map([...ticks, ...now.ticks].map((tick) => [tick.getTime(), tick])).values()];
          return now;
        },
        ({ value }) => !value,
        GIVEN_UP_AFTER_MINUTES,
      );
      const from = gone.withdrawnAt?.getTime() ?? Number.NaN;
      const minutes = (to: number): number => (to - from) / 60_000;
      const took = minutes(Date.now());
      const shown = ticks.map((tick) => minutes(tick.getTime()).toFixed(1)).join(', ');
      console.log(`ticks on its partition after ${shown} min`);
      console.log(`gone after ${took.toFixed(1)} min; promised are ${PROMISED_MINUTES}`);
      return took <= PROMISED_MINUTES;
    } finally {
      await castiron.stop();
    }
  } finally {
    await stack.stop();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 3 });
  }
}
