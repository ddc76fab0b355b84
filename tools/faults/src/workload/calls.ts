import { mintToken, type IdentityEndpoints } from '@castiron/local-stack';
import type { Outcome, Told } from '../history.js';

const WITHIN_MS = 8_000;

export interface Request {
  readonly method: string;
  readonly url: string;
  readonly as: readonly [role: string, sub: string];
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What came back: an answer; nobody there, so that nothing happened; or silence, after which anything may have. */
export type Reply =
  | { readonly kind: 'answer'; readonly status: number; readonly body: Record<string, unknown> }
  | { readonly kind: 'nobody' }
  | { readonly kind: 'silence'; readonly reason: string };

const codeOf = (error: unknown): string => {
  const { cause, name } = error as { cause?: { code?: string }; name?: string };
  return cause?.code ?? name ?? 'unknown';
};

/** Calls as a user would, once: what becomes of a call that broke is for the caller to find out. */
export class Calls {
  private readonly tokens = new Map<string, Promise<string>>();

  constructor(private readonly identity: IdentityEndpoints) {}

  async call({ method, url, as, body, headers }: Request): Promise<Reply> {
    const authorization = `Bearer ${await this.tokenOf(as)}`;
    try {
      const response = await fetch(url, {
        method,
        headers: { authorization, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(WITHIN_MS),
      });
      const text = await response.text();
      const isJson = response.headers.get('content-type')?.includes('json') === true;
      const parsed = isJson ? (JSON.parse(text) as Record<string, unknown>) : {};
      return { kind: 'answer', status: response.status, body: parsed };
    } catch (error) {
      const reason = codeOf(error);
      return reason === 'ECONNREFUSED' ? { kind: 'nobody' } : { kind: 'silence', reason };
    }
  }

  private tokenOf([role, sub]: readonly [string, string]): Promise<string> {
    const name = `${role} ${sub}`;
    const known = this.tokens.get(name) ?? mintToken(this.identity, role, sub);
    this.tokens.set(name, known);
    return known;
  }
}

/** 4xx: it did not happen. 5xx: nobody knows. */
export function outcomeOf(reply: Reply): { outcome: Outcome; told: Told } {
  if (reply.kind === 'nobody') return { outcome: 'fail', told: { reason: 'nobody there' } };
  if (reply.kind === 'silence') return { outcome: 'info', told: { reason: reply.reason } };
  const { status, body } = reply;
  const version = typeof body['version'] === 'number' ? { version: body['version'] } : {};
  if (status < 300) return { outcome: 'ok', told: { status, ...version } };
  const code = typeof body['code'] === 'string' ? body['code'] : 'unknown';
  return { outcome: status < 500 ? 'fail' : 'info', told: { status, reason: code } };
}

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
