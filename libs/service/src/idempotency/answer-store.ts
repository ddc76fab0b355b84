import { createHmac, hkdfSync, randomUUID } from 'node:crypto';
import type { DataSource, EntityManager } from 'typeorm';
import { open, seal } from '@castiron/encryption';
import { Refused } from '@castiron/failures';

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

const AAD = 'castiron/http-answer';

interface Row {
  readonly fingerprint: Buffer;
  readonly effect: boolean;
  readonly answer: Buffer | null;
  readonly held: boolean;
}

/**
 * Keeps the answers of requests with an `Idempotency-Key` in the service's own database.
 *
 * **One effect.** A request first takes its key (a hold of 60 s, under a random holder id). The transaction that has the
 * effect marks the row as its last statement, and fails where the hold is no longer its own; so the mark commits with
 * the effect or not at all, and two holders cannot both commit. **The same answer.** It is stored right after the
 * handler, or inside the effect's transaction by {@link remember}. After a crash between the two the effect stands and
 * the answer is lost: a repetition then gets 409 `answer-lost` instead of a second effect.
 *
 * A request that failed before any effect leaves the key free, so that it can be sent again once the cause is gone.
 * Keys and fingerprints are HMACs and answers are sealed, for bodies are personal data and answers may hold secrets.
 */
export class AnswerStore {
  private readonly sealKey: Buffer;
  private readonly macKey: Buffer;

  /** @param serviceKey 32 bytes, the service's own */
  constructor(
    private readonly dataSource: DataSource,
    serviceKey: Buffer,
  ) {
    const derive = (use: string): Buffer =>
      Buffer.from(hkdfSync('sha256', serviceKey, '', `castiron/http-answer/${use}`, 32));
    this.sealKey = derive('seal');
    this.macKey = derive('mac');
  }

  /**
   * Takes the key for this request, or gives the answer that it got before.
   * @throws Refused unprocessable where the key was used for another request, conflict while the first is under way or
   *   where its answer was lost
   */
  async take(request: KeyedRequest): Promise<{ readonly hold: Hold } | { readonly answer: Answer }> {
    const id = this.mac('key', request.caller, request.key);
    const fingerprint = this.mac('request', request.method, request.address, canonical(request.body));
    const holder = randomUUID();
    // One statement: a free key is inserted; an expired row, or one whose holder died before any effect, is taken over.
    const taken: unknown[] = await this.dataSource.query(
      `INSERT INTO http_idempotency AS known (id, fingerprint, holder, held_until, expires_at)
       VALUES ($1, $2, $3, clock_timestamp() + make_interval(secs => $4), clock_timestamp() + make_interval(hours => $5))
       ON CONFLICT (id) DO UPDATE
         SET fingerprint = excluded.fingerprint, holder = excluded.holder, held_until = excluded.held_until,
             expires_at = excluded.expires_at, effect = false, answer = NULL
         WHERE known.expires_at < clock_timestamp()
            OR (known.answer IS NULL AND NOT known.effect AND known.held_until < clock_timestamp()
                AND known.fingerprint = excluded.fingerprint)
       RETURNING 1`,
      [id, fingerprint, holder, HOLD_S, KEEP_H],
    );
    if (taken.length > 0) return { hold: { id, holder } };
    return { answer: await this.answerOf(id, fingerprint) };
  }

  private async answerOf(id: Buffer, fingerprint: Buffer): Promise<Answer> {
    const [row]: (Row | undefined)[] = await this.dataSource.query(
      'SELECT fingerprint, effect, answer, held_until >= clock_timestamp() AS held FROM http_idempotency WHERE id = $1',
      [id],
    );
    if (row !== undefined && !row.fingerprint.equals(fingerprint)) {
      throw new Refused({
        kind: 'unprocessable',
        code: 'idempotency-key-reused',
        field: 'header idempotency-key',
        detail: 'This Idempotency-Key was used for another request.',
      });
    }
    // No row: the first request has just failed and let go.
    if (row === undefined || (row.answer === null && !(row.effect && !row.held))) {
      throw new Refused({
        kind: 'conflict',
        code: 'request-in-flight',
        field: 'header idempotency-key',
        detail: 'The first request with this Idempotency-Key is still under way.',
      });
    }
    if (row.answer === null) {
      throw new Refused({
        kind: 'conflict',
        code: 'answer-lost',
        field: 'header idempotency-key',
        detail: 'The request took effect, but its answer was lost in a crash. Read what you changed.',
      });
    }
    return JSON.parse(open(this.sealKey, row.answer, this.aad(id)).toString()) as Answer;
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

  /** Stores the answer after the handler, where no transaction did before. */
  async finish(hold: Hold, answer: Answer): Promise<void> {
    await this.remember(this.dataSource.manager, hold, answer);
  }

  /** Frees the key after a failure, unless there was an effect. */
  async release(hold: Hold): Promise<void> {
    await this.dataSource.query('DELETE FROM http_idempotency WHERE id = $1 AND holder = $2 AND NOT effect', [
      hold.id,
      hold.holder,
    ]);
  }

  /** Drops answers whose time is over. */
  async sweep(): Promise<void> {
    await this.dataSource.query('DELETE FROM http_idempotency WHERE expires_at < clock_timestamp()');
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
