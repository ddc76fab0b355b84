import { topicsOfRecipient } from '@castiron/contracts';
import type { Cluster } from '../rig/cluster.js';
import { readTopic } from '../observe/topics.js';
import { STAYS, TAKEN_BACK } from './customers.js';
import type { Sent } from './leaks.check.js';

interface Value {
  readonly attributes: Readonly<
    Record<string, { readonly value?: string; readonly purposes: readonly { readonly purpose: string }[] }>
  >;
}

/** What stands on a partner's feed; `data`: of those that say something of their subject. */
export async function recordsOf(cluster: Cluster, slug: string): Promise<{ records: Sent[]; data: number }> {
  const rows = await cluster.databases.query<{ customer: string; subject: string }>(
    'partner-sharing',
    'SELECT customer, subject FROM shares WHERE recipient = $1',
    [slug],
  );
  const customers = new Map(rows.map(({ customer, subject }) => [subject, customer]));
  const { records, whole } = await readTopic(cluster.kafka(), topicsOfRecipient(slug).feed.name);
  if (!whole) throw new Error(`the feed of ${slug} could not be read to its end`);
  const read = records.map(({ key, partition, offset, at, value }): Sent & { readonly hasData: boolean } => {
    const { attributes } = (value === null ? { attributes: {} } : JSON.parse(value)) as Value;
    const serves = (purpose: string) => (name: string) =>
      attributes[name]?.purposes.some((one) => one.purpose === purpose) === true;
    const names = Object.keys(attributes);
    return {
      customer: customers.get(key) ?? key,
      partition,
      offset,
      at,
      carries: names.some(serves(TAKEN_BACK)),
      kept: serves(STAYS)('companyName') ? attributes['companyName']?.value : undefined,
      hasData: names.length > 0,
    };
  });
  return { records: read, data: read.filter(({ hasData }) => hasData).length };
}
