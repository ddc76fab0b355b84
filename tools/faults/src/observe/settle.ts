import { SERVICES, type Service } from '../plan/faults.js';
import { customersSince, noticesWithoutMail, type Before } from './before.js';
import type { Databases } from './databases.js';
import { openMailsWithin } from './mails.js';

const POLL_MS = 400;

/** Events that the relay has not marked as sent. */
const UNSENT = `SELECT count(*)::int AS n FROM outbox o JOIN outbox_lanes l USING (lane) WHERE NOT pg_visible_in_snapshot(o.xid, l.settled)`;

async function count(
  databases: Databases,
  service: Service,
  text: string,
  values: readonly unknown[] = [],
): Promise<number> {
  const [row] = await databases.query<{ n: number }>(service, text, values);
  return row?.n ?? 0;
}

async function unsent(databases: Databases): Promise<Set<Service>> {
  const left = await Promise.all(SERVICES.map((service) => count(databases, service, UNSENT)));
  return new Set(SERVICES.filter((_, index) => (left[index] ?? 0) > 0));
}

/** Waits a moment for outboxes to be empty. @returns whose is not */
export async function untilSent(databases: Databases, within = 5_000): Promise<Set<Service>> {
  const deadline = Date.now() + within;
  for (;;) {
    const left = await unsent(databases);
    if (left.size === 0 || Date.now() >= deadline) return left;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** What has not come to rest yet, in words. */
async function restless(databases: Databases, before: Before, openMails: string): Promise<string[]> {
  const profiles = await customersSince(databases, before);
  const customers = [...profiles.keys()];
  const cancelled = await databases.query<{ key: string }>(
    'notifications',
    `SELECT DISTINCT key FROM faults_outbox WHERE topic = 'notifications.mailings.v1'`,
  );
  const [unsentBy, copies, pending, sweeps, unannounced, untold, open, shares, subjects, unmade, unmailed] =
    await Promise.all([
      unsent(databases),
      databases.query<{ id: string; version: number }>(
        'partner-sharing',
        'SELECT id, version FROM customers WHERE id = ANY ($1)',
        [customers],
      ),
      count(
        databases,
        'partner-sharing',
        `SELECT (SELECT count(*) FROM pending_releases JOIN shares s ON s.id = share WHERE s.customer = ANY ($1))::int
         + (SELECT count(*) FROM sending_records WHERE customer = ANY ($1))::int AS n`,
        [customers],
      ),
      count(databases, 'partner-sharing', 'SELECT count(*)::int AS n FROM sweeps WHERE done_at IS NULL'),
      count(databases, 'partner-sharing', 'SELECT (size - next_index)::int AS n FROM ledger_head, disclosure_cursor'),
      count(
        databases,
        'partner-sharing',
        `SELECT count(*)::int AS n FROM shares s WHERE recipient = 'notifications' AND subject::text = ANY ($1)
       AND NOT EXISTS (SELECT FROM permissions p WHERE (p.customer, p.recipient) = (s.customer, s.recipient)
                       AND purpose = 'mailing' AND p.state = 'revoked')`,
        [cancelled.map(({ key }) => key)],
      ),
      count(
        databases,
        'partner-sharing',
        `SELECT count(*)::int AS n FROM obligations o JOIN shares s ON s.id = o.share
       WHERE s.customer = ANY ($1) AND o.recipient = 'notifications' AND o.state = 'open'`,
        [customers],
      ),
      databases.query<{ subject: string; version: number }>(
        'partner-sharing',
        `SELECT subject, version FROM shares WHERE customer = ANY ($1) AND recipient = 'notifications' AND state IN ('released', 'withdrawn')`,
        [customers],
      ),
      databases.query<{ subject: string; version: number }>('notifications', 'SELECT subject, version FROM subjects'),
      noticesWithoutMail(databases, before),
      count(databases, 'notifications', openMails),
    ]);
  const known = new Map(copies.map(({ id, version }) => [id, version]));
  const held = new Map(subjects.map(({ subject, version }) => [subject, version]));
  const behind = [...profiles].filter(([id, version]) => (known.get(id) ?? 0) < version).length;
  const late = shares.filter(({ subject, version }) => (held.get(subject) ?? 0) < version).length;
  return [
    ...[...unsentBy].map((service) => `the outbox of ${service} holds events that were not sent`),
    ...(behind > 0 ? [`${behind} profiles have not reached partner-sharing`] : []),
    ...(pending > 0 ? [`${pending} releases of partner-sharing are pending or being sent`] : []),
    ...(sweeps > 0 ? [`${sweeps} sweeps of partner-sharing are under way`] : []),
    ...(unannounced > 0 ? [`${unannounced} entries of the ledger have not been announced`] : []),
    ...(untold > 0 ? [`${untold} cancellations have not reached partner-sharing`] : []),
    ...(late > 0 ? [`${late} feed records have not reached notifications`] : []),
    ...(open > 0 ? [`${open} withdrawals of notifications are open`] : []),
    ...(unmade > 0 ? [`${unmade} notices have not become mails`] : []),
    ...(unmailed > 0 ? [`${unmailed} mails have not come to an end`] : []),
  ];
}

/** Waits for everything to come to rest. @returns what did not, in words; empty where all did */
export async function settle(databases: Databases, before: Before, within: number): Promise<string[]> {
  const deadline = Date.now() + within;
  const openMails = openMailsWithin(within);
  for (;;) {
    const left = await restless(databases, before, openMails).catch((error: unknown) => [
      error instanceof Error ? error.message : 'the databases do not answer',
    ]);
    if (left.length === 0 || Date.now() >= deadline) return left;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
