import type { Done } from '../history.js';
import { pause } from '../pause.js';
import { operationsOf, REGISTERED, slugOf, type Operation } from '../plan/operations.js';
import { outcomeOf } from './calls.js';
import { behindFence } from './fence.js';
import { leave } from './leave.js';
import { cancellationIn } from './mailbox.js';
import type { World } from './world.js';

interface Customer {
  readonly id: string;
  /** Where its first mail goes. */
  readonly email: string;
  /** Of the profile, where it is known. */
  version: number | undefined;
}

const TRIES = 4;
const BETWEEN_TRIES_MS = 500;

/** The value that an operation writes: whoever reads it knows who wrote it. */
export function valueOf(run: string, id: number, attribute: string): string {
  return attribute === 'email' ? `${run}-${id}@faults.example` : `${run}-${id}`;
}

/** One user of the company's systems, who acts on behalf of customers that nobody else touches. */
export class User {
  private readonly customers = new Map<number, Customer>();

  constructor(
    private readonly world: World,
    private readonly process: number,
  ) {}

  /** Acts until told to stop, in the order of the plan. */
  async act(goesOn: () => boolean, think: () => number): Promise<void> {
    for (const operation of operationsOf(this.world.seed, this.process)) {
      if (!goesOn()) return;
      if (await this.perform(operation)) await pause(think());
    }
  }

  /** @returns whether anything was done: nothing can be with a customer that was never registered, nor written to */
  private async perform(operation: Operation): Promise<boolean> {
    if (operation.kind === 'register') {
      await this.register(operation);
      return true;
    }
    if (operation.kind === 'terminate') {
      await leave(this.world, operation);
      return true;
    }
    const customer = this.customers.get(operation.slot);
    if (customer === undefined) return false;
    if (operation.kind === 'cancel') return this.cancel(operation, customer);
    if (operation.kind === 'change' || operation.kind === 'withdraw') await this.change(operation, customer);
    else await this.permit(operation, customer);
    return true;
  }

  private async register(operation: Operation): Promise<void> {
    const { calls, history, run, urlOf } = this.world;
    const done = history.invoke(operation, undefined);
    const value = (attribute: string) => valueOf(run, operation.id, attribute);
    const attributes = Object.fromEntries(REGISTERED.map((name) => [name, value(name)]));
    for (let attempt = 0; ; attempt += 1) {
      const reply = await calls.call({
        method: 'POST',
        url: `${urlOf('customer-profiles', (operation.replica + attempt) % 2)}/registrations/service-order`,
        as: ['service', 'portal'],
        body: { attributes },
        headers: { 'idempotency-key': `${run}-${operation.id}` },
      });
      const { outcome, told } = outcomeOf(reply);
      if (outcome === 'ok' && reply.kind === 'answer') {
        const id = String(reply.body['customer']);
        this.customers.set(operation.slot, { id, email: value('email'), version: told.version });
        done('ok', { ...told, customer: id });
        return;
      }
      // Under the same key it happens once at most, so it may be asked again; what was tried once may have happened.
      if (attempt + 1 >= TRIES || told.reason === 'answer-lost') {
        done('info', told);
        return;
      }
      await pause(BETWEEN_TRIES_MS);
    }
  }

  private async change(operation: Operation & { kind: 'change' | 'withdraw' }, customer: Customer): Promise<void> {
    const { calls, history, run, urlOf } = this.world;
    const url = `${urlOf('customer-profiles', operation.replica)}/customers/${customer.id}`;
    const as = ['customer', customer.id] as const;
    if (customer.version === undefined) {
      const read = await calls.call({ method: 'GET', url, as });
      if (read.kind !== 'answer' || read.status !== 200) {
        const { outcome, told } = outcomeOf(read);
        // Who is not known any more is to be seen; what was not asked for cannot have come to pass.
        if (read.kind === 'answer' && outcome === 'fail') history.invoke(operation, customer.id)(outcome, told);
        return;
      }
      customer.version = Number(read.body['version']);
    }
    const done = history.invoke(operation, customer.id);
    const value = operation.kind === 'withdraw' ? null : valueOf(run, operation.id, operation.attribute);
    const reply = await calls.call({
      method: 'PATCH',
      url: `${url}/attributes`,
      as,
      body: { [operation.attribute]: value },
      headers: { 'if-match': `"v${customer.version}"` },
    });
    const { outcome, told } = outcomeOf(reply);
    customer.version =
      outcome === 'ok' ? told.version : outcome === 'fail' && told.status !== 412 ? customer.version : undefined;
    done(outcome, told);
  }

  private async permit(operation: Operation & { kind: 'grant' | 'revoke' }, customer: Customer): Promise<void> {
    const { calls, history, run, urlOf } = this.world;
    const base = urlOf('partner-sharing', operation.replica);
    const slug = slugOf(run, operation.process, operation.recipient);
    const request = {
      url: `${base}/customers/${customer.id}/permissions/${slug}/${operation.purpose}`,
      as: ['customer', customer.id] as const,
    };
    const done = history.invoke(operation, customer.id);
    if (operation.kind === 'grant') {
      const body = { how: 'portal', givenAt: new Date().toISOString(), statementVersion: 1 };
      const { outcome, told } = outcomeOf(await calls.call({ method: 'PUT', ...request, body }));
      done(outcome, told);
      return;
    }
    const reply = await calls.call({ method: 'DELETE', ...request });
    const { outcome, told } = await behindFence(this.world, reply, request.as);
    this.world.fences.follow(done(outcome, told), request.as);
  }

  /** By the link of a mail, as it came. @returns false where none has come yet */
  private async cancel(operation: Operation, customer: Customer): Promise<boolean> {
    const { calls, history, mail, urlOf } = this.world;
    const token = await cancellationIn(mail, customer.email);
    if (token === undefined) return false;
    const done = history.invoke(operation, customer.id);
    const url = `${urlOf('notifications', operation.replica)}/cancellations/${token}`;
    const { outcome, told } = outcomeOf(await calls.call({ method: 'POST', url, as: ['customer', customer.id] }));
    done(outcome, told);
    return true;
  }
}

/** What is known of the customers at the end. */
export const customersOf = (operations: readonly Done[]): string[] =>
  operations.flatMap(({ operation, customer, outcome }) =>
    operation.kind === 'register' && outcome === 'ok' && customer !== undefined ? [customer] : [],
  );
