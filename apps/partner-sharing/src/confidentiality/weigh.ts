import type { Ground } from '@castiron/contracts';
import type { Clause, Question } from './clause.js';
import { POLICY, type ClauseName, type Policy } from './clauses.js';

/** What one clause found. */
export interface Finding {
  readonly clause: Clause<ClauseName>;
  /** The ground it was weighed for; undefined for what must hold whatever the ground. */
  readonly ground: Ground | undefined;
  /** Undefined where the clause held. */
  readonly refusal: string | undefined;
}

/** One question, weighed by every clause that has a say in it. */
export interface Weighing {
  /** The ground that carries it; undefined where it must not go. */
  readonly ground: Ground | undefined;
  readonly findings: readonly Finding[];
}

const find = (clause: Clause<ClauseName>, ground: Ground | undefined, question: Question): Finding => ({
  clause,
  ground,
  refusal: clause.refusal(question),
});

const holds = (finding: Finding): boolean => finding.refusal === undefined;

/** Allowed where every gate holds and, of at least one ground of the closed list, every clause (P8, P10). */
export function weigh(question: Question, policy: Policy = POLICY): Weighing {
  const ofGates = policy.gates.map((gate) => find(gate, undefined, question));
  const ofGrounds = policy.grounds
    .filter((rule) => rule.claimed(question))
    .map((rule) => ({
      ground: rule.ground,
      findings: rule.clauses.map((clause) => find(clause, rule.ground, question)),
    }));
  const carrying = ofGates.every(holds) ? ofGrounds.find(({ findings }) => findings.every(holds)) : undefined;
  return { ground: carrying?.ground, findings: [...ofGates, ...ofGrounds.flatMap(({ findings }) => findings)] };
}

/** The refusals that keep it from going: those of gates, and those of grounds where no ground holds. */
export function refusalsIn({ findings }: Weighing): readonly Finding[] {
  const refusing = findings.filter((finding) => !holds(finding));
  const failed = new Set(refusing.map(({ ground }) => ground));
  const someGroundHolds = findings.some(({ ground }) => ground !== undefined && !failed.has(ground));
  return someGroundHolds ? refusing.filter(({ ground }) => ground === undefined) : refusing;
}
