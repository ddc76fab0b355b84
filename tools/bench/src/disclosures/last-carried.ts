import { feeds } from '@castiron/contracts';
import type { Kafka } from '@castiron/kafka';
import type pg from 'pg';

/** In ms of the clock that the broker stamps records by. */
export interface Revocation {
  readonly customer: string;
  readonly recipient: string;
  readonly purpose: string;
  readonly asked: number;
  readonly answered: number;
  readonly ms: number;
}

/** When the last record that carried the purpose came onto the feed; none where no record ever did. */
export async function lastCarried(
  kafka: Kafka,
  database: pg.Client,
  revocations: readonly Revocation[],
): Promise<ReadonlyMap<Revocation, number>> {
  const { rows } = await database.query<{ customer: string; recipient: string; subject: string }>(
    'SELECT customer, recipient, subject FROM shares WHERE customer = ANY ($1::uuid[])',
    [revocations.map(({ customer }) => customer)],
  );
  const subjects = new Map(rows.map(({ customer, recipient, subject }) => [`${customer} ${recipient}`, subject]));
  const of = new Map(revocations.map((one) => [subjects.get(`${one.customer} ${one.recipient}`), one]));
  const last = new Map<Revocation, number>();
  for (const recipient of new Set(revocations.map((one) => one.recipient))) {
    for await (const { key, value, timestamp } of kafka.read(feeds.of(recipient).name)) {
      const revocation = of.get(String(key));
      if (revocation?.recipient === recipient && value?.includes(`"purpose":"${revocation.purpose}"`))
        last.set(revocation, timestamp.getTime());
    }
  }
  return last;
}
