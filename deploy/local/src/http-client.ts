import { mintToken, type IdentityEndpoints } from './identity.js';

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

const PAUSE_MS = 250;

/** Calls the services' routes as anyone, with tokens minted once per role and subject. */
export class HttpClient {
  private readonly tokens = new Map<string, Promise<string>>();

  constructor(
    private readonly identity: IdentityEndpoints,
    private readonly services: Readonly<Record<string, { readonly url: string }>>,
  ) {}

  async call(
    service: string,
    method: string,
    path: string,
    options: { as: readonly [role: string, sub: string]; body?: unknown; key?: string },
  ): Promise<Answer> {
    const [role, sub] = options.as;
    const name = `${role} ${sub}`;
    const token = this.tokens.get(name) ?? mintToken(this.identity, role, sub);
    this.tokens.set(name, token);
    const response = await fetch(`${this.services[service]?.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${await token}`,
        ...(options.key !== undefined && { 'idempotency-key': options.key }),
        ...(options.body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(options.body !== undefined && { body: JSON.stringify(options.body) }),
      signal: AbortSignal.timeout(15_000),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
  }

  /** A call that must succeed; `except` names the codes of refusals that are as good (already so). */
  async must(
    service: string,
    method: string,
    path: string,
    options: {
      as: readonly [role: string, sub: string];
      body?: unknown;
      key?: string;
      except?: readonly number[];
      within?: number;
    },
  ): Promise<Answer> {
    const deadline = Date.now() + (options.within ?? 0);
    for (;;) {
      const answer = await this.call(service, method, path, options);
      if (answer.status < 300 || options.except?.includes(answer.status)) return answer;
      if (Date.now() >= deadline) {
        throw new Error(
          `${method} ${path} on ${service} was answered ${answer.status}: ${JSON.stringify(answer.body)}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}
