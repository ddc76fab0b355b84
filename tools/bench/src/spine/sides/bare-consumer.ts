import pg from 'pg';
import { bareClient } from '../bare-client.js';
import type { OnTopic } from '../places.js';
import { WorkCounter, type Work } from '../stopwatch.js';

interface Message {
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, unknown>>;
}

/** What the handlers of both sides keep of a message. */
function effectOf({ value, headers }: Message) {
  const data = JSON.parse(value?.toString() ?? '') as {
    customer: string;
    version: number;
    attributes: { registeredAddress: { sealed: string } };
  };
  const { customer, version, attributes } = data;
  return { id: String(headers?.['ce_id']), customer, version, body: attributes.registeredAddress.sealed };
}
type Effect = ReturnType<typeof effectOf>;

/** For each message a transaction that remembers its id and does its work. */
async function one(client: pg.Client, name: string, topic: string, effect: Effect): Promise<void> {
  await client.query('BEGIN');
  const { rowCount } = await client.query({
    name: 'inbox',
    text: `INSERT INTO inbox (event_id, consumer, topic) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
    values: [effect.id, name, topic],
  });
  if (rowCount === 1) {
    await client.query({
      name: 'effect',
      text: `INSERT INTO effects (consumer, customer, version, body) VALUES ($1, $2, $3, $4)`,
      values: [name, effect.customer, effect.version, effect.body],
    });
  }
  await client.query('COMMIT');
}

/** The same for a batch: what is new of it by one statement, in one transaction. */
async function many(client: pg.Client, name: string, topic: string, effects: readonly Effect[]): Promise<void> {
  await client.query({
    name: 'effects',
    text: `WITH unseen AS (
             INSERT INTO inbox (event_id, consumer, topic)
             SELECT id, $1, $2 FROM unnest($3::uuid[]) AS id ON CONFLICT DO NOTHING RETURNING event_id)
           INSERT INTO effects (consumer, customer, version, body)
           SELECT $1, e.customer, e.version, e.body
           FROM unnest($3::uuid[], $4::uuid[], $5::int[], $6::text[]) AS e (id, customer, version, body)
           WHERE e.id IN (SELECT event_id FROM unseen)`,
    values: [
      name,
      topic,
      effects.map(({ id }) => id),
      effects.map(({ customer }) => customer),
      effects.map(({ version }) => version),
      effects.map(({ body }) => body),
    ],
  });
}

/** As many as the inbox puts into one transaction. */
const BATCH = 500;

/** What one writes without an inbox, with the client's own defaults: by `eachMessage`, or by `eachBatch`. */
export async function handle(given: OnTopic & { name: string; count: number; batches: boolean }): Promise<Work> {
  const { url, kafka, topic, name, count, batches } = given;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const consumer = bareClient(kafka).consumer({ groupId: name });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  const handled = new WorkCounter(count);
  await consumer.run(
    batches
      ? {
          eachBatch: async ({ batch: { messages } }) => {
            for (let at = 0; at < messages.length; at += BATCH) {
              const effects = messages.slice(at, at + BATCH).map(effectOf);
              await many(client, name, topic, effects);
              handled.add(effects.length);
            }
          },
        }
      : {
          eachMessage: async ({ message }) => {
            await one(client, name, topic, effectOf(message));
            handled.add(1);
          },
        },
  );
  const work = await handled.finished;
  await consumer.disconnect();
  await client.end();
  return work;
}
