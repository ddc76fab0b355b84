import { setTimeout as delay } from 'node:timers/promises';

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

const REQUEST_MS = 60_000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;

/** One import route. Every route answers a repeated row with "existing", so what may have arrived is sent again. */
export class ImportService {
  constructor(
    private readonly url: string,
    private readonly tokenOf: () => Promise<string>,
    /** How long a service may be away before the import gives up. */
    private readonly patienceMs = 120_000,
    private readonly stop?: AbortSignal,
  ) {}

  /** Sends the rows; a request that is refused as a whole is halved until the row at fault is alone. */
  async send(common: Record<string, unknown>, rows: readonly unknown[]): Promise<RowAnswer[]> {
    const response = await this.#post(JSON.stringify({ ...common, rows }));
    if (response.ok) {
      const answer = (await response.json()) as { rows?: RowAnswer[] };
      if (answer.rows?.length !== rows.length) {
        throw new ImportStopped(`${this.url} answered ${answer.rows?.length ?? 'no'} rows for ${rows.length}`);
      }
      return answer.rows;
    }
    const problem = (await response.json().catch(() => ({}))) as Problem;
    const reason = [problem.field, problem.detail ?? problem.title ?? `HTTP ${response.status}`]
      .filter(Boolean)
      .join(': ');
    if (![400, 413, 422].includes(response.status))
      throw new ImportStopped(`${this.url} answered ${response.status}: ${reason}`);
    if (rows.length === 1) return [{ outcome: 'refused', reason }];
    const half = Math.ceil(rows.length / 2);
    return [...(await this.send(common, rows.slice(0, half))), ...(await this.send(common, rows.slice(half)))];
  }

  /** Sends again while the service is away or busy. */
  async #post(body: string): Promise<Response> {
    const deadline = Date.now() + this.patienceMs;
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      const answer = await this.#attempt(body);
      if (answer instanceof Response && answer.status < 500 && ![408, 409, 429].includes(answer.status)) return answer;
      const why = answer instanceof Response ? `answers ${answer.status}` : `cannot be reached (${answer.message})`;
      if (answer instanceof Response) await answer.body?.cancel();
      if (Date.now() + pause > deadline || this.stop?.aborted === true) throw new ImportStopped(`${this.url} ${why}`);
      await delay(pause);
    }
  }

  async #attempt(body: string): Promise<Response | Error> {
    try {
      return await fetch(this.url, {
        method: 'POST',
        headers: { authorization: `Bearer ${await this.tokenOf()}`, 'content-type': 'application/json' },
        body,
        signal: AbortSignal.timeout(REQUEST_MS),
      });
    } catch (error) {
      if (error instanceof TypeError || (error instanceof DOMException && error.name === 'TimeoutError')) {
        return error.cause instanceof Error ? error.cause : error;
      }
      throw error;
    }
  }
}
