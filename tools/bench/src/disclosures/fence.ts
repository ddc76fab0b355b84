import { setTimeout as pause } from 'node:timers/promises';
import { DOORS, encodeEvent, feeds, newEventId, profileChanged } from '@castiron/contracts';
import { connect, type Kafka } from '@castiron/kafka';
import type { Bench } from '../spine/bench.js';
import { figure, percentile, type Figure, type Wanted } from '../spine/figure.js';
import { atRate } from '../spine/pace.js';
import { Asking } from './asking.js';
import { Disclosing } from './disclosing.js';
import { HELD, inventCustomers, PURPOSES, sealedOf, type InventedCustomer } from './invented-customers.js';
import { inventRecipients } from './invented-recipients.js';
import { registerCustomers } from './registered-customers.js';

const RECIPIENTS = 10;
/** Each makes a record for each recipient: 200 records a second. */
const CHANGES_PER_SECOND = 20;
const RECORDS_PER_SECOND: Wanted = { direction: 'atLeast', must: 0.95 * RECIPIENTS * CHANGES_PER_SECOND };
/** Changes before the first revocation, while the rate rises. */
const FIRST_CHANGES = 10 * CHANGES_PER_SECOND;
/** A revocation comes so long after a change of the same customer at most: while its records are on their way. In ms. */
const SOON = 40;
const DONE_WITHIN: Wanted = { direction: 'atMost', must: 5_000 };
const NEVER_AFTER: Wanted = { direction: 'atMost', must: 0 };

/** In ms of the clock that the broker stamps records by. */
interface Revocation {
  readonly customer: string;
  readonly recipient: string;
  readonly purpose: string;
  readonly asked: number;
  readonly answered: number;
  readonly ms: number;
}

/** The customer's profile as customer-profiles would publish it, with all attributes given anew. */
function changed(customer: InventedCustomer): ReturnType<typeof encodeEvent> {
  customer.version += 1;
  const { id, version } = customer;
  const attributes = Object.fromEntries(
    HELD.map((name) => [name, { version, sealed: sealedOf(name, customer, version) }]),
  );
  return encodeEvent(
    profileChanged,
    {
      customer: id,
      version,
      door: 'service-order',
      purposes: [...DOORS['service-order']],
      origin: 'imported',
      statementVersion: 1,
      registeredAt: new Date().toISOString(),
      attributes,
    },
    { id: newEventId(), time: new Date() },
  );
}

/** When the last record that carried the purpose came onto the feed; none where no record ever did. */
async function lastCarried(
  kafka: Kafka,
  disclosing: Disclosing,
  revocations: readonly Revocation[],
): Promise<ReadonlyMap<Revocation, number>> {
  const { rows } = await disclosing.database.query<{ customer: string; recipient: string; subject: string }>(
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

const times = (what: string, ms: readonly number[], wanted?: Wanted): Figure[] => [
  figure(`p50 ${what}`, 'ms', [percentile(ms, 0.5)]),
  figure(`p99 ${what}`, 'ms', [percentile(ms, 0.99)], wanted),
];

/** How long it takes to take something back while 200 records a second are released, all of it over HTTP. */
export const fence = (bench: Bench): Promise<Figure[]> =>
  Disclosing.with(bench, async (disclosing) => {
    const { takenAway } = bench.sizes;
    const recipients = await inventRecipients(bench, disclosing.castiron, 'fence', RECIPIENTS);
    const customers = await inventCustomers(bench.stack, FIRST_CHANGES + 2 * takenAway, recipients);
    const asking = new Asking(bench.stack, disclosing.castiron.endpoints.services);
    const registered = await registerCustomers(asking, 2 * takenAway, recipients[0] ?? '');
    const kafka = connect(bench.kafka);
    const producer = kafka.producer();
    const revocations: Revocation[] = [];
    const revoke = async (n: number, { id: customer }: InventedCustomer): Promise<void> => {
      const recipient = recipients[n % RECIPIENTS] ?? '';
      const { purpose } = PURPOSES[n % PURPOSES.length] ?? PURPOSES[0];
      await pause(Math.random() * SOON);
      const asked = Date.now();
      const ms = await asking.revoke(customer, recipient, purpose);
      revocations.push({ customer, recipient, purpose, asked, answered: Date.now(), ms });
    };
    const before = await disclosing.entries();
    const from = performance.now();
    const withdrawn: number[] = [];
    const erased: number[] = [];
    const taking = async (n: number): Promise<void> => {
      const [one, other] = [registered[2 * n], registered[2 * n + 1]];
      if (one === undefined || other === undefined) return;
      const both = [
        asking.withdraw(one).then((ms) => withdrawn.push(ms)),
        asking.erase(other).then((ms) => erased.push(ms)),
      ];
      await Promise.all(both);
    };
    process.stderr.write('fence: taking back while records are released\n');
    await atRate(CHANGES_PER_SECOND, customers.length, async (n) => {
      const customer = customers[n];
      if (customer === undefined) return;
      const sending = producer.send([changed(customer)]);
      const after = n - FIRST_CHANGES;
      if (after >= 0 && after % 2 === 0) await Promise.all([sending, revoke(n, customer), taking(after / 2)]);
      else await sending;
    });
    const seconds = (performance.now() - from) / 1000;
    const released = (await disclosing.entries()) - before;
    await producer.close();
    const last = await lastCarried(kafka, disclosing, revocations);
    const since = (of: 'asked' | 'answered') => [...last].map(([one, at]) => at - one[of]);
    return [
      ...times(
        'revocation, from request to answer',
        revocations.map(({ ms }) => ms),
      ),
      ...times(
        'revocation, from request to the last record for that purpose',
        since('asked').map((ms) => Math.max(0, ms)),
      ),
      figure(
        'the latest record for a revoked purpose, after the answer',
        'ms',
        [Math.max(...since('answered'))],
        NEVER_AFTER,
      ),
      ...times('withdrawal of an attribute, from request to done', withdrawn, DONE_WITHIN),
      ...times('erasure, from request to done', erased, DONE_WITHIN),
      figure('records meanwhile', 'records/s', [released / seconds], RECORDS_PER_SECOND),
    ];
  });
