import type { Done } from '../history.js';
import { PURPOSES, type GrantedPurpose } from '../plan/operations.js';
import type { Anomaly, FeedRecord, Observed } from './observed.js';

type Permitting = Done & { readonly operation: Done['operation'] & { kind: 'grant' | 'revoke' } };

const isPermitting = (done: Done): done is Permitting =>
  done.operation.kind === 'grant' || done.operation.kind === 'revoke';

const carries = (record: FeedRecord, purpose: string): boolean =>
  Object.values(record.purposes).some((purposes) => purposes.includes(purpose));

/** Each committed record once, versions rising. */
function checkOrder(name: string, records: readonly FeedRecord[]): Anomaly[] {
  const found: Anomaly[] = [];
  const ids = new Set<string>();
  const last = new Map<string, number>();
  for (const { subject, version, id, partition, offset } of records) {
    const at = `${name} ${subject} at ${partition}/${offset}`;
    if (ids.has(id)) found.push({ kind: 'duplicated', what: `${at}: the event ${id} stands there twice` });
    ids.add(id);
    if (version === null) continue;
    const before = last.get(subject) ?? 0;
    if (version === before) found.push({ kind: 'duplicated', what: `${at}: v${version} stands there twice` });
    else if (version < before) found.push({ kind: 'reordered', what: `${at}: v${version} came after v${before}` });
    last.set(subject, Math.max(before, version));
  }
  return found;
}

/** G2: after a revocation was answered, no later record carries the purpose until it is granted anew. */
function checkFence(observed: Observed, customerOf: (subject: string) => string | undefined): Anomaly[] {
  const permitting = observed.operations.filter(isPermitting);
  return permitting.flatMap((revoked) => {
    const { operation, customer, outcome, told } = revoked;
    const { feedEnds, version } = told;
    if (operation.kind !== 'revoke' || outcome !== 'ok' || feedEnds === undefined || version === undefined) return [];
    const { purpose } = operation;
    // One that nobody has an answer to may come to pass later, but not one given before the revocation: it is refused.
    const grants = permitting.filter(
      (other) =>
        other.operation.kind === 'grant' &&
        other.customer === customer &&
        other.operation.purpose === purpose &&
        ((other.outcome === 'info' && other.invoked >= revoked.invoked) ||
          (other.outcome === 'ok' && (other.told.version ?? 0) > version)),
    );
    const late = observed.partnerFeed.find(
      (record) =>
        customerOf(record.subject) === customer &&
        record.offset >= Number(feedEnds[record.partition] ?? Infinity) &&
        carries(record, purpose) &&
        !grants.some(({ invoked }) => invoked <= record.at),
    );
    if (late === undefined) return [];
    const what = `revoke ${operation.id} of ${purpose} was answered, and ${late.partition}/${late.offset} of the feed carries it afterwards`;
    return [{ kind: 'revoked-and-sent', what }] satisfies Anomaly[];
  });
}

/** What the permission is at the end; undefined where an answer was lost and it may be either. */
function permittedAtEnd(
  operations: readonly Permitting[],
  customer: string,
  purpose: GrantedPurpose,
): boolean | undefined {
  const own = operations.filter(
    (done) => done.customer === customer && done.operation.purpose === purpose && done.outcome !== 'fail',
  );
  if (own.some(({ outcome }) => outcome === 'info')) return undefined;
  return own.at(-1)?.operation.kind === 'grant';
}

/** What stands on the feed at the end is what may: the last values, for the purposes that are permitted. */
function checkEnd(observed: Observed, customerOf: (subject: string) => string | undefined): Anomaly[] {
  const permitting = observed.operations.filter(isPermitting);
  const last = new Map<string, FeedRecord>();
  for (const record of observed.partnerFeed) last.set(customerOf(record.subject) ?? record.subject, record);
  return [...observed.finals].flatMap(([customer, { attributes }]) => {
    const found: Anomaly[] = [];
    const record = last.get(customer);
    for (const [purpose, names] of Object.entries(PURPOSES) as [GrantedPurpose, readonly string[]][]) {
      const permitted = permittedAtEnd(permitting, customer, purpose);
      if (permitted === undefined) continue;
      for (const name of names) {
        const there = record?.purposes[name]?.includes(purpose) === true;
        const wanted = permitted && attributes[name] !== undefined;
        if (wanted === there && (!there || record?.values[name] === attributes[name])) continue;
        const share = observed.shares.find((one) => one.customer === customer && one.recipient === observed.partner);
        const what = `the feed's last record of ${customer} (v${record?.version ?? 0}, share v${share?.version ?? 0}) has ${name} for ${purpose}: ${there ? record?.values[name] : 'no'}; it should be ${wanted ? attributes[name] : 'no'}`;
        found.push({ kind: observed.unsettled.length > 0 ? 'stuck' : 'lost', what });
      }
    }
    return found;
  });
}

/** Whoever sends mail for us ends with the values that stand. */
function checkNotified(
  { notificationsFeed, finals, unsettled }: Observed,
  customerOf: (subject: string) => string | undefined,
): Anomaly[] {
  const last = new Map(notificationsFeed.map((record) => [record.subject, record]));
  return [...last].flatMap(([subject, { values, version }]) => {
    const attributes = finals.get(customerOf(subject) ?? '')?.attributes ?? {};
    return Object.entries(values)
      .filter(([name, value]) => attributes[name] !== value)
      .map(([name, value]): Anomaly => ({
        kind: unsettled.length > 0 ? 'stuck' : 'lost',
        what: `the feed of notifications ends with ${name} = ${value} of ${subject} (v${version}); it should be ${attributes[name] ?? 'none'}`,
      }));
  });
}

/** Every value on a feed was written by an operation on that very attribute of that very customer. */
function checkValues(observed: Observed, customerOf: (subject: string) => string | undefined): Anomaly[] {
  const byId = new Map(observed.operations.map((done) => [done.operation.id, done]));
  const written = new RegExp(`^${observed.run}-(\\d+)(@faults\\.example)?$`);
  return observed.partnerFeed.flatMap((record) =>
    Object.entries(record.values).flatMap(([name, value]): Anomaly[] => {
      const writer = byId.get(Number(written.exec(value ?? '')?.[1] ?? Number.NaN));
      const fits =
        writer?.operation.kind === 'register' ||
        (writer?.operation.kind === 'change' && writer.operation.attribute === name);
      if (
        fits &&
        (writer?.customer ?? customerOf(record.subject)) === customerOf(record.subject) &&
        writer?.outcome !== 'fail'
      )
        return [];
      return [
        {
          kind: 'invented',
          what: `${record.partition}/${record.offset} of the feed has ${name} = ${value}, which nobody wrote there`,
        },
      ];
    }),
  );
}

/** What stands on recipients' feeds. */
export function checkFeeds(observed: Observed): Anomaly[] {
  const customers = new Map(observed.shares.map(({ subject, customer }) => [subject, customer]));
  const customerOf = (subject: string) => customers.get(subject);
  return [
    ...checkOrder('feed of the partner', observed.partnerFeed),
    ...checkOrder('feed of notifications', observed.notificationsFeed),
    ...checkFence(observed, customerOf),
    ...checkEnd(observed, customerOf),
    ...checkNotified(observed, customerOf),
    ...checkValues(observed, customerOf),
  ];
}
