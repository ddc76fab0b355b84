import { createHmac, hkdfSync, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { QueryFailedError, type DataSource, type EntityManager } from 'typeorm';
import { open, seal } from '@castiron/encryption';
import { isPassing, Refused } from '@castiron/failures';

/** An answer as it is given again. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** undefined: no body. */
  readonly body?: unknown;
}

/** One request with a key. */
export interface KeyedRequest {
  readonly caller: string;
  readonly key: string;
  readonly method: string;
  /** With its query. */
  readonly address: string;
  /** The `If-Match` it carried: on another condition it is another request. */
  readonly condition: string | undefined;
  readonly body: unknown;
}

/** The right to carry out one request, until `held_until`. */
export interface Hold {
  readonly id: Buffer;
  readonly holder: string;
}

/** Longer than any request may take; a crashed holder's key is free again after it. */
const HOLD_S = 60;

/** How long an answer is given again. */
const KEEP_H = 24;

/** How long a repetition waits for the first request's answer. */
const PATIENCE_MS = 5_000;
const FIRST_PAUSE_MS = 20;
/** How often a database that is away is tried again for what a request leaves behind, and how long the answer waits for it. */
const INSIST_MS = 500;
const LONGEST_PAUSE_MS = 250;

/** What is dropped in one statement, and at a time. */
const SLICE = 1_000;
const SLICES = 100;

const AAD = 'castiron/http-answer';

interface Row {
  readonly fingerprint: Buffer;
  readonly answer: Buffer | null;
  /** There is an effect, and whoever had it is gone. */
  readonly lost: boolean;
  /** Nobody has it any more, and there is no effect. */
  readonly free: boolean;
}

const refusal = (kind: 'conflict' | 'unprocessable', code: string, detail: string): Refused =>
  new Refused({ kind, code, field: 'header idempotency-key', detail });

/**
 * Keeps the answers of requests with an `Idempotency-Key` in the service's own database.
 *
 * **One effect.** A request first takes its key (a hold of 60 s, under a random holder id). The transaction that has the
 * effect marks the row as its last statement, and fails where the hold is no longer its own; so the mark commits with
 * the effect or not at all, and two holders cannot both commit. **The same answer.** It is stored right after the
 * handler, or inside the effect's transaction by {@link remember}. After a crash between the two the effect stands and
 * the answer is lost: a repetition then gets 409 `answer-lost` instead of a second effect. A repetition that comes while
 * the first request is under way waits a little for its answer.
 *
 * A request that failed before any effect leaves the key free, so that it can be sent again once the cause is gone. What
 * cannot be written at once, since the database is away, is written as soon as it is back.
 * Keys and fingerprints are HMACs and answers are sealed, for bodies are personal data and answers may hold secrets.
 */
export class AnswerStore {
  private readonly sealKey: Buffer;
  private readonly macKey: Buffer;

  /**
   * @param serviceKey 32 bytes, the service's own
   * @param patienceMs how long a repetition waits for the first request's answer
   */
  constructor(
    private readonly dataSource: DataSource,
    serviceKey: Buffer,
    private readonly patienceMs = PATIENCE_MS,
  ) {
    const derive = (use: string): Buffer =>
      Buffer.from(hkdfSync('sha256', serviceKey, '', `castiron/http-answer/${use}`, 32));
    this.sealKey = derive('seal');
    this.macKey = derive('mac');
  }

  /**
   * Takes the key for this request, or gives the answer that it got before.
   * @throws Refused unprocessable where the key was used for another request, conflict where the first one is under way
   *   for longer than the patience, or where its answer was lost
   */
  async take(request: KeyedRequest): Promise<{ readonly hold: Hold } | { readonly answer: Answer }> {
    const id = this.mac('key', request.caller, request.key);
    const { method, address, condition = '', body } = request;
    const fingerprint = this.mac('request', method, address, condition, canonical(body));
    const deadline = Date.now() + this.patienceMs;
    let free = true;
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      const hold = free ? await this.tryToTake(id, fingerprint) : undefined;
      if (hold !== undefined) return { hold };
      // Only looked at from here on: trying would queue behind the first request's transaction.
      const row = await this.rowOf(id);
      const answer = row && this.answerIn(row, id, fingerprint);
      if (answer !== undefined) return { answer };
      if (Date.now() + pause > deadline) {
        throw refusal(
          'conflict',
          'request-in-flight',
          'The first request with this Idempotency-Key is still under way.',
        );
      }
      await delay(pause);
      // No row: the first request failed before any effect, and let go.
      free = row === undefined || row.free;
    }
  }

  /** One statement: a free key is inserted; an expired row, or one whose holder died before any effect, is taken over. */
  private async tryToTake(id: Buffer, fingerprint: Buffer): Promise<Hold | undefined> {
    const hold = { id, holder: randomUUID() };
    const take = this.dataSource.query<unknown[]>(
      `INSERT INTO http_idempotency AS known (id, fingerprint, holder, held_until, expires_at)
       VALUES ($1, $2, $3, clock_timestamp() + make_interval(secs => $4), clock_timestamp() + make_interval(hours => $5))
       ON CONFLICT (id) DO UPDATE
         SET fingerprint = excluded.fingerprint, holder = excluded.holder, held_until = excluded.held_until,
             expires_at = excluded.expires_at, effect = false, answer = NULL
         WHERE known.expires_at < clock_timestamp()
            OR (known.answer IS NULL AND NOT known.effect AND known.held_until < clock_timestamp()
                AND known.fingerprint = excluded.fingerprint)
       RETURNING 1`,
      [id, fingerprint, hold.holder, HOLD_S, KEEP_H],
    );
    try {
      return (await take).length > 0 ? hold : undefined;
    } catch (error) {
      // What was sent may have been carried out all the same, and nobody would carry out the request.
      if (error instanceof QueryFailedError && isPassing(error))
        void this.insist(() => this.end(hold)).catch(() => undefined);
      throw error;
    }
  }

  private async rowOf(id: Buffer): Promise<Row | undefined> {
    const [row]: (Row | undefined)[] = await this.dataSource.query(
      `SELECT fingerprint, answer, effect AND held_until < clock_timestamp() AS lost,
              expires_at < clock_timestamp() OR (NOT effect AND held_until < clock_timestamp()) AS free
       FROM http_idempotency WHERE id = $1`,
      [id],
    );
    return row;
  }

  /** @returns undefined while the first request is under way */
  private answerIn({ fingerprint: known, answer, lost }: Row, id: Buffer, fingerprint: Buffer): Answer | undefined {
    if (!known.equals(fingerprint)) {
      throw refusal('unprocessable', 'idempotency-key-reused', 'This Idempotency-Key was used for another request.');
    }
    if (answer !== null) return JSON.parse(open(this.sealKey, answer, this.aad(id)).toString()) as Answer;
    if (!lost) return undefined;
    throw refusal(
      'conflict',
      'answer-lost',
      'The request took effect, but its answer was lost in a crash. Read what you changed.',
    );
  }

  /** Says, inside the effect's own transaction, that there is an effect. @throws where the hold was lost: roll back */
  async markEffect(manager: EntityManager, hold: Hold): Promise<void> {
    await this.update(manager, hold, 'effect = true', []);
  }

  /** Stores the answer, by itself or inside the effect's transaction. */
  async remember(manager: EntityManager, hold: Hold, answer: Answer): Promise<void> {
    const sealed = seal(this.sealKey, JSON.stringify(answer), this.aad(hold.id));
    await this.update(manager, hold, 'effect = true, answer = $3', [sealed]);
  }

  /** Stores the answer after the handler, where no transaction did before. The effect stands whether this can be or not. */
  async finish(hold: Hold, answer: Answer): Promise<void> {
    await this.insist(() => this.remember(this.dataSource.manager, hold, answer));
  }

  /** Lets go of the key after a failure: it is free, or where there was an effect, its answer is lost. */
  async release(hold: Hold): Promise<void> {
    const released = this.insist(() => this.end(hold));
    await Promise.race([released, delay(INSIST_MS, undefined, { ref: false })]);
  }

  private async end({ id, holder }: Hold): Promise<void> {
    // A commit under way holds the row's lock: this waits for it, and then sees its mark.
    await this.dataSource.query('DELETE FROM http_idempotency WHERE id = $1 AND holder = $2 AND NOT effect', [
      id,
      holder,
    ]);
    await this.dataSource.query(
      'UPDATE http_idempotency SET held_until = clock_timestamp() WHERE id = $1 AND holder = $2 AND answer IS NULL',
      [id, holder],
    );
  }

  /** Tries once, and then in the background for as long as the hold lasts. @throws what does not pass by itself */
  private async insist(work: () => Promise<void>): Promise<void> {
    const until = Date.now() + HOLD_S * 1_000;
    const again = async (): Promise<void> => {
      while (Date.now() < until) {
        await delay(INSIST_MS, undefined, { ref: false });
        try {
          return await work();
        } catch (error) {
          if (!isPassing(error)) return;
        }
      }
    };
    try {
      await work();
    } catch (error) {
      if (!isPassing(error)) throw error;
      void again();
    }
  }

  /**
   * Drops answers whose time is over, in slices: many of them would take longer than a statement may, and be there for good.
   */
  async sweep(): Promise<void> {
    for (let slice = 0; slice < SLICES; slice += 1) {
      // Asked of each row too: a key may be taken anew in between. By now(), for which there is the index.
      const [, dropped]: [unknown, number] = await this.dataSource.query(
        `DELETE FROM http_idempotency WHERE expires_at < now() AND ctid = ANY (ARRAY(
           SELECT ctid FROM http_idempotency WHERE expires_at < now() LIMIT $1))`,
        [SLICE],
      );
      if (dropped < SLICE) return;
    }
  }

  private async update(manager: EntityManager, hold: Hold, set: string, values: unknown[]): Promise<void> {
    const [, changed]: [unknown, number] = await manager.query(
      `UPDATE http_idempotency SET ${set} WHERE id = $1 AND holder = $2`,
      [hold.id, hold.holder, ...values],
    );
    if (changed !== 1) {
      throw new Refused({
        kind: 'conflict',
        code: 'request-in-flight',
        detail: 'Another request took over this Idempotency-Key.',
      });
    }
  }

  private aad(id: Buffer): string {
    return `${AAD}/${id.toString('hex')}`;
  }

  /** Parts are counted, so that none can run over into the next. */
  private mac(...parts: readonly string[]): Buffer {
    const mac = createHmac('sha256', this.macKey);
    for (const part of parts) mac.update(`${Buffer.byteLength(part)}:${part}`);
    return mac.digest();
  }
}

/** JSON with sorted names: the same request may be written in another order. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined';
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${entries.map(([name, inner]) => `${JSON.stringify(name)}:${canonical(inner)}`).join(',')}}`;
}
