import type { AttributeName, Ground, PurposeName } from '@castiron/contracts';
import type { Facts } from './facts.js';

/** May this attribute go to this recipient for this purpose, now? */
export interface Question {
  readonly facts: Facts;
  readonly attribute: AttributeName;
  readonly purpose: PurposeName;
  readonly now: Date;
}

/** One sentence of the privacy statement as a rule: pure, and answering for itself alone. */
export interface Clause<Name extends string = string> {
  /** The name of its file, which begins with the promise's number. */
  readonly name: Name;
  /** The promise it keeps, such as `P8`. */
  readonly promise: `P${number}`;
  /** The rule in plain words, as told to whom it allowed something. */
  readonly says: string;
  /** Undefined where the clause holds; else why it refuses, in plain words and without personal data. */
  refusal(question: Question): string | undefined;
}

/** Declares a clause, keeping its name as a type. */
export const defineClause = <const Name extends string>(clause: Clause<Name>): Clause<Name> => Object.freeze(clause);

/** One way to be allowed: a ground of the closed list (P10), with the clauses that must all hold for it. */
export interface GroundRule<Name extends string = string> {
  readonly ground: Ground;
  /** Whether this ground is claimed at all: one that nobody claims neither holds nor refuses. */
  claimed(question: Question): boolean;
  readonly clauses: readonly Clause<Name>[];
}
