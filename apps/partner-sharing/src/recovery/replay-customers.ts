import {
  customerErased,
  customersErasures,
  customersProfiles,
  decodeMessage,
  mailingCancelled,
  newEventId,
  notificationsMailings,
  profileChanged,
  type EventContract,
  type ReceivedEvent,
} from '@castiron/contracts';
import { readAll, type Kafka } from '@castiron/kafka';
import type { RecoveryLog } from '@castiron/service';
import type { Transactions, Tx } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import { revokeMailingWhenMailingCancelled } from '../mailings/revoke-mailing-when-mailing-cancelled.handler.js';
import { eraseWhenCustomerErased } from '../profiles/keep-profiles/erase-when-customer-erased.handler.js';
import {
  keysOfProfile,
  type KeepProfileWhenProfileChanged,
} from '../profiles/keep-profiles/keep-profile-when-profile-changed.handler.js';
import { NOTIFIER } from '../release/notices-of.decision.js';
import type { ReleaseSignals } from '../release/release-signals.js';

/** Below the most outbox keys of a transaction. */
const CHUNK = 100;

interface Parts {
  readonly dataSource: DataSource;
  readonly transactions: Transactions;
  readonly kafka: Kafka;
  readonly signals: ReleaseSignals;
  readonly keepProfile: KeepProfileWhenProfileChanged;
  readonly forgetKeys: (customer: string) => void;
}

/** One topic of others: which of its events are new here, and what handles them. */
interface Replayed<Contract extends EventContract> {
  readonly topic: string;
  readonly contract: Contract;
  readonly counted: string;
  readonly isNew: (events: readonly ReceivedEvent<Contract>[]) => Promise<readonly ReceivedEvent<Contract>[]>;
  readonly keys?: (event: ReceivedEvent<Contract>) => readonly string[];
  readonly handle: (events: readonly ReceivedEvent<Contract>[], tx: Tx) => Promise<void>;
}

/**
 * What others told of customers is consumed already, and will be read again once the service goes on; what takes away is read
 * before, or records could go that were decided without it.
 */
export async function replayCustomers(parts: Parts, log: RecoveryLog): Promise<void> {
  const { dataSource, signals, forgetKeys, keepProfile } = parts;
  await replay(parts, log, {
    topic: customersErasures.name,
    contract: customerErased,
    counted: 'customers erased again',
    isNew: (events) =>
      filtered(
        events,
        dataSource.query(
          `SELECT given AS key FROM unnest($1::uuid[]) AS given WHERE NOT EXISTS (SELECT FROM erased_customers e WHERE e.id = given)
             OR EXISTS (SELECT FROM customers c WHERE c.id = given AND NOT c.deleted)`,
          [events.map(({ key }) => key)],
        ),
      ),
    handle: eraseWhenCustomerErased(signals, forgetKeys),
  });
  await replay(parts, log, {
    topic: customersProfiles.name,
    contract: profileChanged,
    counted: 'profiles taken again',
    isNew: (events) =>
      filtered(
        events,
        dataSource.query(
          `SELECT given.id AS key FROM unnest($1::uuid[], $2::int[]) AS given (id, version) LEFT JOIN customers c ON c.id = given.id
           WHERE CASE WHEN given.version IS NULL THEN c.id IS NOT NULL AND NOT c.deleted
             ELSE c.id IS NULL AND NOT EXISTS (SELECT FROM erased_customers e WHERE e.id = given.id)
               OR c.version < given.version AND NOT c.deleted END`,
          [events.map(({ key }) => key), events.map(({ data }) => data?.version ?? null)],
        ),
      ),
    keys: keysOfProfile,
    handle: (events, tx) => keepProfile.handle(events, tx),
  });
  await replay(parts, log, {
    topic: notificationsMailings.name,
    contract: mailingCancelled,
    counted: 'cancellations of mailings taken again',
    isNew: (events) =>
      filtered(
        events,
        // Of who is not known here, no share is, so that nothing is sent by it.
        dataSource.query(
          `SELECT s.subject AS key FROM unnest($1::uuid[], $2::timestamptz[]) AS given (subject, at) JOIN shares s
             ON s.subject = given.subject AND s.recipient = $3 WHERE s.mailing_cancelled_at IS NULL OR s.mailing_cancelled_at < given.at`,
          [events.map(({ key }) => key), events.map(({ data }) => data?.at), NOTIFIER],
        ),
      ),
    handle: revokeMailingWhenMailingCancelled(signals),
  });
}

async function filtered<Event extends { readonly key: string }>(
  events: readonly Event[],
  asked: Promise<readonly { key: string }[]>,
): Promise<readonly Event[]> {
  const keys = new Set((await asked).map(({ key }) => key));
  return events.filter(({ key }) => keys.has(key));
}

async function replay<Contract extends EventContract>(
  { kafka, transactions }: Parts,
  log: RecoveryLog,
  { topic, contract, counted, isNew, keys, handle }: Replayed<Contract>,
): Promise<void> {
  log.phase(topic);
  let waiting: ReceivedEvent<Contract>[] = [];
  const work = async (): Promise<void> => {
    // Of a key the last one counts.
    const events = await isNew([...new Map(waiting.map((event) => [event.key, event])).values()]);
    waiting = [];
    log.count(counted, events.length);
    if (log.dryRun || events.length === 0) return;
    const wanted = [...new Set(events.flatMap((event) => keys?.(event) ?? []))];
    await transactions.run(wanted, (tx) => handle(events, tx));
  };
  for await (const message of readAll(kafka, topic, { groupId: `partner-sharing.recovery-${newEventId()}` })) {
    const decoded = decodeMessage(message, [contract]);
    // What nobody can read is parked once it is read again.
    if (decoded.ok) waiting.push(decoded.event as ReceivedEvent<Contract>);
    if (waiting.length === CHUNK) await work();
  }
  await work();
}
