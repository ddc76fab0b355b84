import { EventEmitter, once } from 'node:events';
import { HeardClient } from '@castiron/outbox';
import type { Client } from 'pg';
import { patienceMs } from './patience.js';

/** The database took a statement and did not answer. Whether it was carried out is not known. */
export class DatabaseSilent extends Error {
  override readonly name = 'DatabaseSilent';
  /** As a socket says it: what may pass (see `failures`). */
  readonly code = 'ETIMEDOUT';
}

/** A query that submits itself: `pg` has it call back, and puts its own callback around that one likewise. */
const tellsItsEnd = (query: unknown): query is { callback: (...told: unknown[]) => void } =>
  typeof query === 'object' && query !== null && 'callback' in query && typeof query.callback === 'function';

/** Whether `pg` answers by a promise: it is told of nobody to call back, and the query does not submit itself. */
const promises = ([asked, ...more]: readonly unknown[]): boolean =>
  !more.some((one) => typeof one === 'function') &&
  (typeof asked === 'string' ||
    (typeof asked === 'object' && asked !== null && !('submit' in asked || 'callback' in asked)));

/**
 * A connection that is cut where a statement gets no answer: a machine that stopped, or a network that swallows answers,
 * would otherwise hold whoever asked, and the connection, for ever. Cut, not only given up (pg's own `query_timeout`):
 * what follows, a rollback at first, would wait behind the silence.
 */
export class PatientClient extends HeardClient {
  /** Until when each statement may take that has no answer yet. */
  private readonly waiting: { readonly until: number }[] = [];
  /** One timer for all of them, which outlives those that are answered: two calls of a timer a statement were felt. */
  private watch: NodeJS.Timeout | undefined;
  private watchesUntil = Infinity;

  // Sound: hands on whatever it is given, and gives back what it gets.
  override query = ((...given: Parameters<Client['query']>): unknown => {
    const [asked] = given as unknown[];
    if (tellsItsEnd(asked)) {
      const [stop, { callback }] = [this.wait(), asked];
      const told: typeof callback = (...what) => {
        stop();
        callback(...what);
      };
      asked.callback = told;
      return super.query(...given);
    }
    if (promises(given)) return this.promised(given);
    const answer: unknown = super.query(...given);
    // A query that tells of its rows one by one tells of its end too.
    if (answer instanceof EventEmitter) {
      const stop = this.wait();
      once(answer, 'end').then(stop, stop);
    }
    return answer;
  }) as Client['query'];

  /**
   * As `pg` promises, but that it is told whom to call back. It gives what it promises by to a property of the query, and V8
   * makes a function that is written there in the old heap, which would keep statement, rows and whoever waits for them
   * until all of that is collected.
   */
  private promised([asked, values]: readonly unknown[]): Promise<unknown> {
    const stop = this.wait();
    const answered = new Promise((resolve, reject) => {
      super.query(asked as string, values as unknown[], (error: Error | null, result: unknown) => {
        stop();
        if (error === null) resolve(result);
        else reject(error);
      });
    });
    return answered.catch((error: Error) => {
      // As `pg` has it: from here it leads to who asked, and not to the socket.
      Error.captureStackTrace(error);
      throw error;
    });
  }

  private wait(): () => void {
    const asked = { until: performance.now() + patienceMs() };
    this.waiting.push(asked);
    if (asked.until < this.watchesUntil) this.look(asked.until);
    // They are few. An old set that is emptied is copied in the old heap (ADR 0036).
    return () => {
      const at = this.waiting.indexOf(asked);
      if (at >= 0) this.waiting.splice(at, 1);
    };
  }

  private look(at: number): void {
    clearTimeout(this.watch);
    this.watchesUntil = at;
    this.watch = setTimeout(() => {
      this.watchesUntil = Infinity;
      const next = Math.min(...this.waiting.map(({ until }) => until));
      if (next <= performance.now()) this.cut();
      else if (next < Infinity) this.look(next);
    }, at - performance.now());
    // Whoever waits for an answer is held by the connection.
    this.watch.unref();
  }

  private cut(): void {
    const { connection } = this as unknown as { connection: { stream: { destroy(error: Error): void } } };
    connection.stream.destroy(new DatabaseSilent('the database did not answer in time'));
  }
}
