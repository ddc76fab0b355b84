import { setTimeout as pause } from 'node:timers/promises';
import { DOORS, encodeEvent, newEventId, profileChanged } from '@castiron/contracts';
import { connect } from '@castiron/kafka';
import type { Bench } from '../spine/bench.js';
import { figure, percentile, type Figure, type Wanted } from '../spine/figure.js';
import { atRate } from '../spine/pace.js';
import { Asking } from './asking.js';
import { Disclosing } from './disclosing.js';
import { HELD, inventCustomers, PURPOSES, sealedOf, type InventedCustomer } from './invented-customers.js';
import { inventRecipients } from './invented-recipients.js';
import { lastCarried, type Revocation } from './last-carried.js';
import { registerCustomers } from './registered-customers.js';

const RECIPIENTS = 10;
/** Each makes a record for each recipient: 200 records a second. */
const CHANGES_PER_SECOND = 20;
const RECORDS_PER_SECOND: Wanted = { direction: 'atLeast', must: 0.95 * RECIPIENTS * CHANGES_PER_SECOND };
/** Changes before the first revocation, while the rate rises. */
const FIRST_CHANGES = 10 * CHANGES_PER_SECOND;
/** A revocation comes so long after a change of the same customer at most: while its records are on their way. In ms. */
const SOON = 200;
const DONE_WITHIN: Wanted = { direction: 'atMost', must: 5_000 };
const NEVER_AFTER: Wanted = { direction: 'atMost', must: 0 };

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
    const marks: { readonly at: number; readonly entries: number }[] = [];
    const mark = async (): Promise<void> => {
      const at = performance.now();
      marks.push({ at, entries: await disclosing.entries() });
    };
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
      if (after === 0 || n === customers.length - 1) await mark();
      if (after >= 0 && after % 2 === 0) await Promise.all([sending, revoke(n, customer), taking(after / 2)]);
      else await sending;
    });
    const [from, to] = marks;
    if (from === undefined || to === undefined) throw new Error('nothing was released');
    await producer.close();
    const last = await lastCarried(kafka, disclosing.database, revocations);
    // Where none came after the request, that is when the last one can have come.
    const since = (of: 'asked' | 'answered') =>
      revocations.map((one) => Math.max(last.get(one) ?? 0, one.asked) - one[of]);
    const after = since('asked').filter((ms) => ms > 0).length;
    return [
      ...times(
        'revocation, from request to answer',
        revocations.map(({ ms }) => ms),
      ),
      ...times('revocation, from request to the last record for that purpose', since('asked')),
      figure(
        'the latest record for a revoked purpose, after the answer',
        'ms',
        [Math.max(...since('answered'))],
        NEVER_AFTER,
      ),
      figure('revocations after whose request a record for that purpose came', '%', [
        (after / revocations.length) * 100,
      ]),
      ...times('withdrawal of an attribute, from request to done', withdrawn, DONE_WITHIN),
      ...times('erasure, from request to done', erased, DONE_WITHIN),
      figure(
        'records meanwhile',
        'records/s',
        [((to.entries - from.entries) * 1000) / (to.at - from.at)],
        RECORDS_PER_SECOND,
      ),
    ];
  });
