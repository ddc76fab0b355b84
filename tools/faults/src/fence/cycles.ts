import { pause } from '../pause.js';
import { Random } from '../plan/random.js';
import { behindFence, type Reach } from '../workload/fence.js';
import { evidence, insist, pathOf, TAKEN_BACK, type Customer } from './customers.js';
import type { FeedEndsNow } from './ends.js';
import { LATER_MS } from './holder.js';
import type { Act } from './leaks.check.js';
import type { FenceSize } from './sizes.js';

/** Between a permission and its revocation, so that its record is not yet made, being sent, or sent. */
const LONGEST_MS = 120;
/** Of the rounds of a customer, the part in which its profile changes too. */
const CHANGING = 0.25;
const BETWEEN_TRIES_MS = 100;

/** Customers who give a permission and take it back, again and again. */
export class Cycles {
  readonly acts: Act[] = [];

  constructor(
    private readonly reach: Reach,
    private readonly slug: string,
    private readonly size: FenceSize,
    private readonly ends: FeedEndsNow,
  ) {}

  /** The last thing that happens is a revocation. */
  async run(customer: Customer, nth: number, goesOn: () => boolean): Promise<void> {
    const random = new Random('cycles', nth);
    const think = (1000 * this.size.customers) / this.size.rate;
    await pause(random.fraction() * think);
    while (goesOn()) {
      const began = performance.now();
      if (random.fraction() < CHANGING) await this.change(customer, `${customer.name}'`);
      await this.grant(customer, random.between(0, 1));
      await pause(random.fraction() * LONGEST_MS);
      await this.revoke(customer, random.between(0, 1));
      // What was held up is to arrive before the purpose is granted anew, or nobody would see it.
      const rest = random.fraction() * LATER_MS;
      await pause(Math.max(rest, think * (0.5 + random.fraction()) - (performance.now() - began)));
    }
  }

  private async change(customer: Customer, name: string): Promise<void> {
    const path = `/customers/${customer.id}`;
    for (;;) {
      const { status, body } = await insist(this.reach, 'customer-profiles', {
        method: 'PATCH',
        path: `${path}/attributes`,
        as: customer.asked,
        body: { companyName: name },
        headers: { 'if-match': `"v${customer.version}"` },
      });
      if (status < 300) {
        customer.version = Number(body['version']);
        customer.name = name;
        return;
      }
      // An answer was lost.
      const read = await insist(this.reach, 'customer-profiles', { method: 'GET', path, as: customer.asked });
      customer.version = Number(read.body['version']);
    }
  }

  private async grant(customer: Customer, first: number): Promise<void> {
    const { calls, urlOf } = this.reach;
    for (let attempt = first; ; attempt += 1) {
      const invoked = Date.now();
      const reply = await calls.call({
        method: 'PUT',
        url: `${urlOf('partner-sharing', attempt % 2)}${pathOf(customer.id, this.slug, TAKEN_BACK)}`,
        as: customer.asked,
        body: evidence(),
      });
      // What nobody answered may have come to pass.
      if (reply.kind !== 'nobody') this.acts.push({ customer: customer.id, kind: 'grant', invoked });
      if (reply.kind === 'answer' && reply.status < 300) return;
      await pause(BETWEEN_TRIES_MS);
    }
  }

  private async revoke(customer: Customer, first: number): Promise<void> {
    const { calls, urlOf } = this.reach;
    for (let attempt = first; ; attempt += 1) {
      const invoked = Date.now();
      const reply = await calls.call({
        method: 'DELETE',
        url: `${urlOf('partner-sharing', attempt % 2)}${pathOf(customer.id, this.slug, TAKEN_BACK)}`,
        as: customer.asked,
      });
      const { told } = await behindFence(this.reach, reply, customer.asked);
      if (told.answered !== undefined) {
        const wasLate = reply.kind === 'answer' && reply.status === 202;
        this.acts.push({
          customer: customer.id,
          kind: 'revoke',
          invoked,
          answered: told.answered,
          wasLate,
          ends: await this.ends.ask(),
        });
        return;
      }
      await pause(BETWEEN_TRIES_MS);
    }
  }
}
