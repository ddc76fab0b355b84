import { byKey } from './by-key.js';
import type { Anomaly } from './observed.js';

/** Everything that is owed is there once, and nothing else. */
export function compare(
  what: string,
  owed: readonly string[],
  there: readonly string[],
  missing: Anomaly['kind'],
): Anomaly[] {
  const wanted = new Set(owed);
  const counts = new Map([...byKey(there, (name) => name)].map(([name, all]) => [name, all.length]));
  return [
    ...owed
      .filter((name) => !counts.has(name))
      .map((name): Anomaly => ({ kind: missing, what: `${what} ${name} is not there` })),
    ...[...counts].flatMap(([name, count]): Anomaly[] => {
      if (count > 1) return [{ kind: 'duplicated', what: `${what} ${name} is there ${count} times` }];
      return wanted.has(name) ? [] : [{ kind: 'invented', what: `${what} ${name} is there, and nothing asks for it` }];
    }),
  ];
}
