import type { Metrics } from '@castiron/observability';
import type { DataSource } from 'typeorm';

interface Row {
  readonly unsigned: string;
  /** null before the first head. */
  readonly age: number | null;
}

/** How far what is signed is behind what is released; whoever runs several processes reads the same from each. */
export async function measureLedger(dataSource: DataSource, metrics: Metrics): Promise<void> {
  const [row]: [Row] = await dataSource.query(
    `SELECT head.size - coalesce(signed.size, 0) AS unsigned,
       extract(epoch FROM clock_timestamp() - signed.signed_at)::float8 AS age
     FROM ledger_head AS head
     LEFT JOIN (SELECT size, signed_at FROM ledger_checkpoints ORDER BY size DESC LIMIT 1) AS signed ON true`,
  );
  metrics
    .gauge('castiron_ledger_unsigned', 'Entries of the ledger that are under no signed head yet')
    .set(Number(row.unsigned));
  const age = metrics.gauge(
    'castiron_ledger_signed_age_seconds',
    'Since a head of the ledger was signed last; nothing new, nothing signed',
  );
  if (row.age !== null) age.set(row.age);
}
