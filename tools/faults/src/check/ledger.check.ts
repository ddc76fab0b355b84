import { byKey } from './by-key.js';
import { compare } from './compare.js';
import type { Anomaly, Observed } from './observed.js';
import { firstDeliveries } from './outbox.check.js';

/** Every entry of the ledger is announced once, under its recipient, and those of a recipient in the ledger's order. */
export function checkLedger({ entries, announcements, unsent }: Observed): Anomaly[] {
  const nameOf = (index: number, entry: string, recipient: string): string => `${index} (${entry}) of ${recipient}`;
  const first = firstDeliveries(announcements);
  return [
    ...compare(
      'the announcement of entry',
      entries.map(({ index, id, recipient }) => nameOf(index, id, recipient)),
      first.map(({ index, entry, key }) => nameOf(index, entry, key)),
      unsent.has('partner-sharing') ? 'stuck' : 'lost',
    ),
    ...[...byKey(first, ({ key }) => key)].flatMap(([recipient, own]) => {
      let last = -1;
      return own.flatMap(({ index }): Anomaly[] => {
        const what = `entry ${index} of ${recipient} was announced after ${last}`;
        const isLate = index < last;
        last = Math.max(last, index);
        return isLate ? [{ kind: 'reordered', what }] : [];
      });
    }),
  ];
}
