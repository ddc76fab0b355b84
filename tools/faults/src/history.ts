import { createWriteStream, type WriteStream } from 'node:fs';
import type { Operation } from './plan/operations.js';

/** What became of an operation: `info` may or may not have happened, now or later. */
export type Outcome = 'ok' | 'fail' | 'info';

/** What the answer told. */
export interface Told {
  readonly customer?: string;
  /** Of the profile, or of the permission. */
  readonly version?: number;
  readonly status?: number;
  /** Why it is not known, or refused. */
  readonly reason?: string;
  /** Of a revocation: when its fence was said to stand, or seen to, in ms since the epoch. */
  readonly answered?: number;
  /** Of a revocation whose fence did not stand in time, or of which nobody was told: what to ask for it later. */
  readonly command?: string;
}

/** An operation from the question to the answer, in ms since the epoch. */
export interface Done {
  readonly operation: Operation;
  /** Where it is known: the customer it was about. */
  readonly customer: string | undefined;
  readonly invoked: number;
  readonly completed: number;
  readonly outcome: Outcome;
  readonly told: Told;
}

/** The history: every question, answer and fault in the order in which they came. */
export class History {
  readonly operations: Done[] = [];
  private readonly stream: WriteStream;

  constructor(file: string) {
    this.stream = createWriteStream(file, { flags: 'w' });
  }

  write(line: Readonly<Record<string, unknown>>): void {
    // Of a run that broke off somebody may still be at work.
    if (this.stream.writableEnded) return;
    this.stream.write(`${JSON.stringify({ time: new Date().toISOString(), ...line })}\n`);
  }

  invoke(operation: Operation, customer: string | undefined): (outcome: Outcome, told: Told) => Done {
    const invoked = Date.now();
    const { process, id, kind, ...rest } = operation;
    this.write({ type: 'invoke', process, f: kind, id, ...rest, customer });
    return (outcome, told) => {
      const done: Done = {
        operation,
        customer: told.customer ?? customer,
        invoked,
        completed: Date.now(),
        outcome,
        told,
      };
      this.operations.push(done);
      this.write({ type: outcome, process, f: kind, id, ...told });
      return done;
    };
  }

  /** The fence of what was done stands, which it did not when it was told. */
  answered(done: Done, at: number): void {
    const { id, process, kind } = done.operation;
    this.operations[this.operations.indexOf(done)] = { ...done, told: { ...done.told, answered: at } };
    this.write({ type: 'fence', process, f: kind, id, answered: at });
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.stream.end(resolve));
  }
}
