import { setTimeout as delay } from 'node:timers/promises';
import { CannotImport } from './assignments.js';

/** The service's answer for one row, in the order of the rows. */
export interface RowAnswer {
  readonly outcome: string;
  readonly customer?: string;
  readonly reason?: string;
}

/** The service stayed away, or will not take anything from us; nothing of what was answered before is lost. */
export class ImportStopped extends Error {
  override readonly name = 'ImportStopped';
}

interface Problem {
  readonly title?: string;
  readonly detail?: string;
  readonly field?: string;
}

/** An empty object where the answer is not JSON, such as a proxy's page. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

const REQUEST_MS = 60_000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;
const FIRST_ANSWER_MS = 5_000;

/** One import route. Every route answers a repeated row with "existing", so what may have arrived is sent again. */
export class ImportService {
  constructor(
    private readonly url: string,
    private readonly tokenOf: () => Promise<string>,
    /** How long a service may be away before the import gives up; until its first answer not so long. */
    private readonly patienceMs = 120_000,
    private readonly stop?: AbortSignal,
  ) {}

  /** Whether the service was ever seen: one that was never there will hardly come by itself. */
  #seen = false;

  /** Sends the rows; a request that is refused as a whole is halved until the row at fault is alone. */
  async send(common: Record<string, unknown>, rows: readonly unknown[]): Promise<RowAnswer[]> {
    const { status, text } = await this.#post(JSON.stringify({ ...common, rows }));
    if (status < 300) {
      const answers = (parsed(text) as { rows?: RowAnswer[] }).rows;
      if (answers?.length === rows.length) return answers;
      throw new ImportStopped(`${this.url} answered ${answers?.length ?? 'no'} rows for ${rows.length}`);
    }
    const { field, detail, title } = parsed(text) as Problem;
    const reason = [field, detail ?? title ?? `HTTP ${status}`].filter(Boolean).join(': ');
    if (![400, 413, 422].includes(status)) throw new ImportStopped(`${this.url} answered ${status}: ${reason}`);
    if (rows.length === 1) return [{ outcome: 'refused', reason }];
    const half = Math.ceil(rows.length / 2);
    return [...(await this.send(common, rows.slice(0, half))), ...(await this.send(common, rows.slice(half)))];
  }

  /** Sends again while the service is away or busy. */
  async #post(body: string): Promise<{ status: number; text: string }> {
    const began = Date.now();
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      const answer = await this.#attempt(body);
      const answered = !(answer instanceof Error);
      this.#seen ||= answered;
      if (answered && answer.status < 500 && ![408, 409, 429].includes(answer.status)) return answer;
      const why = answered ? `answers ${answer.status}` : `cannot be reached (${answer.message}); does Castiron run?`;
      const patience = this.#seen ? this.patienceMs : Math.min(this.patienceMs, FIRST_ANSWER_MS);
      if (Date.now() + pause > began + patience || this.stop?.aborted === true)
        throw new ImportStopped(`${this.url} ${why}`);
      await delay(pause);
    }
  }

  async #attempt(body: string): Promise<{ status: number; text: string } | Error> {
    // Not AbortSignal.timeout: it would keep the request, body and all, until the time is over.
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(new Error(`no answer within ${REQUEST_MS / 1000} s`)), REQUEST_MS);
    try {
      const response = await fetch(this.url, {
        method: 'POST',
        headers: { authorization: `Bearer ${await this.tokenOf()}`, 'content-type': 'application/json' },
        body,
        signal: deadline.signal,
      });
      return { status: response.status, text: await response.text() };
    } catch (error) {
      if (deadline.signal.aborted) return deadline.signal.reason as Error;
      // Also where the token cannot be read: a Castiron that starts again has no endpoints for a moment.
      if (error instanceof CannotImport) return error;
      if (!(error instanceof TypeError)) throw error;
      const { cause } = error as { cause?: unknown };
      if (!(cause instanceof Error)) return error;
      // Several addresses that all refused have a code and no message.
      return cause.message === '' ? new Error((cause as NodeJS.ErrnoException).code ?? cause.name) : cause;
    } finally {
      clearTimeout(timer);
    }
  }
}
