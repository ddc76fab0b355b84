import { mintToken, type IdentityEndpoints } from '@castiron/local-stack';
import type { Troubled } from '../check/observed.js';
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

/** Undefined where it is none. A body that ends too soon, for its service has died, is told by fetch before. */
function parsed(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

const codeOf = (error: unknown): string => {
  const { cause, name } = error as { cause?: { code?: string }; name?: string };
  return cause?.code ?? name ?? 'unknown';
};

/** Calls as a user would, once: what becomes of a call that broke is for the caller to find out. */
export class Calls {
  /** Also those to which nobody listened any more, for whoever had asked asked again. */
  readonly troubled: Troubled[] = [];
  private readonly tokens = new Map<string, Promise<string>>();

  constructor(private readonly identity: IdentityEndpoints) {}

  async call({ method, url, as, body: asked, headers }: Request): Promise<Reply> {
    const authorization = `Bearer ${await this.tokenOf(as)}`;
    try {
      const response = await fetch(url, {
        method,
        headers: { authorization, ...(asked !== undefined && { 'content-type': 'application/json' }), ...headers },
        ...(asked !== undefined && { body: JSON.stringify(asked) }),
        signal: AbortSignal.timeout(WITHIN_MS),
      });
      const text = await response.text();
      const { headers: told, status } = response;
      const body = told.get('content-type')?.includes('json') === true ? parsed(text) : {};
      if (status >= 500 || body === undefined)
        this.troubled.push({ question: `${method} ${new URL(url).pathname}`, status, isRead: body !== undefined });
      return body === undefined ? { kind: 'silence', reason: 'broken JSON' } : { kind: 'answer', status, body };
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
