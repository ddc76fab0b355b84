import { attributesOf, PURPOSE_NAMES, type AttributeName, type Ground, type PurposeName } from '@castiron/contracts';
import type { ClauseName } from './clauses.js';
import { POLICY_VERSION } from './decision.js';
import type { Facts } from './facts.js';
import { refusalsIn, weigh, type Finding } from './weigh.js';

/** What one clause had to say. */
export interface ExplainedClause {
  readonly clause: ClauseName;
  readonly promise: string;
  /** The ground it was weighed for; null for what must hold whatever the ground. */
  readonly ground: Ground | null;
  readonly held: boolean;
  /** The rule where it held, the reason where it refused; no personal data. */
  readonly because: string;
}

export interface ExplainedPurpose {
  readonly purpose: PurposeName;
  readonly allowed: boolean;
  /** The ground that carries it; null where it is not allowed. */
  readonly ground: Ground | null;
  readonly clauses: readonly ExplainedClause[];
  /** The purpose in one sentence. */
  readonly words: string;
}

/** Why an attribute of a customer is, or is not, on a recipient's feed. */
export interface Explanation {
  readonly recipient: string;
  readonly attribute: AttributeName;
  readonly onFeed: boolean;
  readonly policyVersion: string;
  /** The purposes that need the attribute, and those that the recipient wants it for. */
  readonly purposes: readonly ExplainedPurpose[];
  /** The whole in one sentence. */
  readonly words: string;
}

const GROUND_IN_WORDS: Readonly<Record<Ground, string>> = {
  permission: 'the customer permitted it',
  cooperation: 'the agreement lists it as cooperation, and the customer has not objected',
  'own-purpose': 'it is a purpose of our own that the data was given for',
};

const explainClause = ({ clause, ground, refusal }: Finding): ExplainedClause => ({
  clause: clause.name,
  promise: clause.promise,
  ground: ground ?? null,
  held: refusal === undefined,
  because: refusal ?? clause.says,
});

function concerns({ recipient, agreement }: Facts, attribute: AttributeName, purpose: PurposeName): boolean {
  const lists = [...recipient.registeredPurposes, ...(agreement?.purposes ?? [])];
  const wanted = lists.some((one) => one.purpose === purpose && one.attributes.includes(attribute));
  return wanted || attributesOf(purpose).includes(attribute);
}

function explainPurpose(facts: Facts, attribute: AttributeName, purpose: PurposeName, now: Date): ExplainedPurpose {
  const weighing = weigh({ facts, attribute, purpose, now });
  const reasons = new Set(refusalsIn(weighing).map(({ refusal }) => refusal));
  return {
    purpose,
    allowed: weighing.ground !== undefined,
    ground: weighing.ground ?? null,
    clauses: weighing.findings.map(explainClause),
    words:
      weighing.ground === undefined
        ? `Not for ${purpose}: ${[...reasons].join('; ')}.`
        : `For ${purpose}: ${GROUND_IN_WORDS[weighing.ground]}.`,
  };
}

/** Explains by the very clauses that decide, so that it can never tell another story. Pure. */
export function explain(facts: Facts, attribute: AttributeName, now: Date): Explanation {
  const purposes = PURPOSE_NAMES.filter((purpose) => concerns(facts, attribute, purpose)).map((purpose) =>
    explainPurpose(facts, attribute, purpose, now),
  );
  const allowed = purposes.filter((one) => one.allowed).map(({ purpose }) => purpose);
  const recipient = facts.recipient.slug;
  return {
    recipient,
    attribute,
    onFeed: allowed.length > 0,
    policyVersion: POLICY_VERSION,
    purposes,
    words:
      allowed.length > 0
        ? `${recipient} may hold ${attribute} for ${allowed.join(', ')}.`
        : `${recipient} may not hold ${attribute}: no purpose allows it.`,
  };
}
