import {
  ATTRIBUTE_NAMES,
  attributesOf,
  PURPOSE_NAMES,
  type AttributeName,
  type PurposeName,
} from '@castiron/contracts';
import { POLICY, type Policy } from './clauses.js';
import type { AllowedPurpose, ClauseRefusal, Decision } from './decision.js';
import type { Facts, ListedPurpose } from './facts.js';
import { refusalsIn, weigh } from './weigh.js';

/** What a recipient asks for, whether or not it may have it. */
function listsOf({ recipient, agreement }: Facts): readonly ListedPurpose[] {
  return recipient.kind === 'internal' ? recipient.registeredPurposes : (agreement?.purposes ?? []);
}

/** What is worth weighing for a purpose: what is listed, or, of a permission that nothing lists, what it was meant for. */
function attributesAskedFor(facts: Facts, purpose: PurposeName): ReadonlySet<AttributeName> {
  const listed = listsOf(facts).filter((one) => one.purpose === purpose);
  if (listed.length > 0) return new Set(listed.flatMap((one) => one.attributes));
  return new Set(facts.permissions[purpose] === 'granted' ? attributesOf(purpose) : []);
}

/** A decision by another policy than ours: for the tests that take clauses away. */
export function decideBy(policy: Policy, facts: Facts, now: Date): Decision {
  const allowed = new Map<AttributeName, AllowedPurpose[]>();
  const refusals: ClauseRefusal[] = [];
  for (const purpose of PURPOSE_NAMES) {
    for (const attribute of attributesAskedFor(facts, purpose)) {
      const weighing = weigh({ facts, attribute, purpose, now }, policy);
      if (weighing.ground === undefined) {
        for (const { clause, refusal } of refusalsIn(weighing)) {
          refusals.push({ attribute, purpose, clause: clause.name, detail: refusal ?? clause.says });
        }
      } else {
        allowed.set(attribute, [...(allowed.get(attribute) ?? []), { purpose, ground: weighing.ground }]);
      }
    }
  }
  const attributes = ATTRIBUTE_NAMES.flatMap((name) => {
    const purposes = allowed.get(name);
    return purposes === undefined ? [] : [[name, { purposes }] as const];
  });
  return { attributes: Object.fromEntries(attributes), refusals };
}

/**
 * Decides what one recipient may hold about one customer now: per purpose, and then united (P8, G1). Pure; deny by
 * default: an attribute goes if and only if every gate and every clause of at least one ground holds for a purpose.
 */
export function decideShare(facts: Facts, now: Date): Decision {
  return decideBy(POLICY, facts, now);
}
