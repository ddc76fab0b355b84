import pg from 'pg';
import { bareClient } from '../bare-client.js';
import type { OnTopic } from '../places.js';
import { WorkCounter, type Work } from '../stopwatch.js';

/**
 * What one writes without an inbox: for each message a transaction that remembers its id and does its work, with the
 * client's own defaults.
 */
export async function handle(given: OnTopic & { name: string; count: number }): Promise<Work> {
  const { url, kafka, topic, name, count } = given;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const consumer = bareClient(kafka).consumer({ groupId: name });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  const handled = new WorkCounter(count);
  await consumer.run({
    eachMessage: async ({ message }) => {
      const id = message.headers?.['ce_id']?.toString();
      const data = JSON.parse(message.value?.toString() ?? '') as {
        customer: string;
        version: number;
        attributes: { registeredAddress: { sealed: string } };
      };
      await client.query('BEGIN');
      const { rowCount } = await client.query({
        name: 'inbox',
        text: `INSERT INTO inbox (event_id, consumer, topic) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
        values: [id, name, topic],
      });
      if (rowCount === 1) {
        await client.query({
          name: 'effect',
          text: `INSERT INTO effects (consumer, customer, version, body) VALUES ($1, $2, $3, $4)`,
          values: [name, data.customer, data.version, data.attributes.registeredAddress.sealed],
        });
      }
      await client.query('COMMIT');
      handled.add(1);
    },
  });
  const work = await handled.finished;
  await consumer.disconnect();
  await client.end();
  return work;
}
