import type { Done, History, Outcome, Told } from '../history.js';
import type { Service } from '../plan/faults.js';
import { operationsOf, REGISTERED, type Operation } from '../plan/operations.js';
import type { Calls, Reply } from './calls.js';

export interface World {
  readonly seed: number;
  readonly calls: Calls;
  readonly history: History;
  /** The partner whom customers permit things, and whose feed is looked at. */
  readonly partner: string;
  /** Makes values and keys of this run its own. */
  readonly run: string;
  readonly urlOf: (service: Service, replica: number) => string;
  /** Where the partner's feed ends now; undefined where the broker does not say. */
  readonly feedEnds: () => Promise<Readonly<Record<number, string>> | undefined>;
}

interface Customer {
  readonly id: string;
  /** Of the profile, where it is known. */
  version: number | undefined;
}

const TRIES = 4;
const BETWEEN_TRIES_MS = 500;
const FENCE_WITHIN_MS = 15_000;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The value that an operation writes: whoever reads it knows who wrote it. */
export function valueOf(run: string, id: number, attribute: string): string {
  return attribute === 'email' ? `${run}-${id}@faults.example` : `${run}-${id}`;
}

/** 4xx: it did not happen. 5xx: nobody knows. */
function outcomeOf(reply: Reply): { outcome: Outcome; told: Told } {
  if (reply.kind === 'nobody') return { outcome: 'fail', told: { reason: 'nobody there' } };
  if (reply.kind === 'silence') return { outcome: 'info', told: { reason: reply.reason } };
  const { status, body } = reply;
  const version = typeof body['version'] === 'number' ? { version: body['version'] } : {};
  if (status < 300) return { outcome: 'ok', told: { status, ...version } };
  const code = typeof body['code'] === 'string' ? body['code'] : 'unknown';
  return { outcome: status < 500 ? 'fail' : 'info', told: { status, reason: code } };
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

  /** @returns whether anything was done: nothing can be with a customer that was never registered */
  private async perform(operation: Operation): Promise<boolean> {
    if (operation.kind === 'register') {
      await this.register(operation);
      return true;
    }
    const customer = this.customers.get(operation.slot);
    if (customer === undefined) return false;
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
        this.customers.set(operation.slot, { id, version: told.version });
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
      if (read.kind !== 'answer' || read.status !== 200) return;
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
    const { calls, history, partner, urlOf } = this.world;
    const base = urlOf('partner-sharing', operation.replica);
    const request = {
      url: `${base}/customers/${customer.id}/permissions/${partner}/${operation.purpose}`,
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
    const { outcome, told } = outcomeOf(reply);
    if (outcome === 'ok' && reply.kind === 'answer') {
      const command = String(reply.body['command']);
      if (reply.status === 202 && !(await fenceStands(this.world, command, customer.id))) {
        done('ok', { ...told, command, reason: 'the fence did not stand in time' });
        return;
      }
      const asked = Date.now();
      const feedEnds = await this.world.feedEnds();
      // Whatever came in between is not held against the fence.
      const lookedMs = Date.now() - asked;
      done('ok', { ...told, ...(feedEnds !== undefined && { feedEnds, lookedMs }) });
      return;
    }
    done(outcome, told);
  }
}

/** A revocation that was answered 202 holds once its command is done. */
export async function fenceStands({ calls, urlOf }: World, command: string, customer: string): Promise<boolean> {
  const deadline = Date.now() + FENCE_WITHIN_MS;
  for (let attempt = 0; Date.now() < deadline; attempt += 1) {
    const url = `${urlOf('partner-sharing', attempt % 2)}/commands/${command}`;
    const reply = await calls.call({ method: 'GET', url, as: ['customer', customer] });
    if (reply.kind === 'answer' && reply.body['state'] === 'done') return true;
    await pause(BETWEEN_TRIES_MS);
  }
  return false;
}

/** What is known of the customers at the end. */
export const customersOf = (operations: readonly Done[]): string[] =>
  operations.flatMap(({ operation, customer, outcome }) =>
    operation.kind === 'register' && outcome === 'ok' && customer !== undefined ? [customer] : [],
  );
