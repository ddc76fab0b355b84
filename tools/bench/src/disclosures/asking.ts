import { setTimeout as pause } from 'node:timers/promises';
import type { Stack } from '@castiron/local-stack';

const LOOK_MS = 10;
const WITHIN_MS = 30_000;

interface Ask {
  readonly service: 'customer-profiles' | 'partner-sharing';
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly ifMatch?: string;
}

/** What the portal asks of the services for customers, over HTTP; times are in ms. */
export class Asking {
  private readonly portal: Promise<string>;
  private readonly officer: Promise<string>;

  constructor(
    { identity }: Stack,
    private readonly services: Readonly<Record<string, { readonly url: string }>>,
  ) {
    this.portal = identity.mint('service', 'portal');
    this.officer = identity.mint('privacy-officer', 'officer-1');
  }

  async register(attributes: Readonly<Record<string, string>>): Promise<string> {
    const path = '/registrations/service-order';
    const { body } = await this.ask({ service: 'customer-profiles', method: 'POST', path, body: { attributes } });
    return String(body['customer']);
  }

  /** Once the customer is known there. */
  async permit(customer: string, recipient: string, purpose: string): Promise<void> {
    const path = `/customers/${customer}/permissions/${recipient}/${purpose}`;
    const body = { how: 'bench', givenAt: new Date().toISOString(), statementVersion: 1 };
    const deadline = performance.now() + WITHIN_MS;
    for (;;) {
      const { status } = await this.ask({ service: 'partner-sharing', method: 'PUT', path, body }, [404]);
      if (status < 300) return;
      if (performance.now() > deadline) throw new Error(`${path} was answered ${status}`);
      await pause(LOOK_MS);
    }
  }

  /** @returns how long it took until no record can carry it any more: to the answer, or where that is 202 to `done` */
  async revoke(customer: string, recipient: string, purpose: string): Promise<number> {
    const path = `/customers/${customer}/permissions/${recipient}/${purpose}`;
    return this.untilDone({ service: 'partner-sharing', method: 'DELETE', path });
  }

  /** Of one attribute. */
  withdraw(customer: string): Promise<number> {
    const path = `/customers/${customer}/attributes/email`;
    return this.untilDone({ service: 'customer-profiles', method: 'DELETE', path, ifMatch: '"v1"' });
  }

  erase(customer: string): Promise<number> {
    return this.untilDone({ service: 'customer-profiles', method: 'POST', path: `/customers/${customer}/erasure` });
  }

  private async untilDone(ask: Ask): Promise<number> {
    const from = performance.now();
    const { status, body } = await this.ask(ask);
    if (status !== 202) return performance.now() - from;
    const path = `/commands/${String(body['command'])}`;
    while (performance.now() - from < WITHIN_MS) {
      const { body: command } = await this.ask({ service: ask.service, method: 'GET', path });
      if (command['state'] === 'done') return performance.now() - from;
      await pause(LOOK_MS);
    }
    throw new Error(`${ask.method} ${ask.path} was not done in time`);
  }

  private async ask(
    { service, method, path, body, ifMatch }: Ask,
    except: readonly number[] = [],
  ): Promise<{ status: number; body: Record<string, unknown> }> {
    const asPortal = service === 'partner-sharing' || path.startsWith('/registrations');
    const answer = await fetch(`${this.services[service]?.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${await (asPortal ? this.portal : this.officer)}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(ifMatch !== undefined && { 'if-match': ifMatch }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(WITHIN_MS),
    });
    const text = await answer.text();
    if (!answer.ok && !except.includes(answer.status))
      throw new Error(`${method} ${path} was answered ${answer.status}: ${text}`);
    return { status: answer.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
  }
}
