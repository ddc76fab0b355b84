import type { AgreedPurpose } from './facts.js';
import type { Clause, GroundRule } from './clause.js';
import { onlyWhatTheCustomerGave } from './clauses/p01-only-what-the-customer-gave.clause.js';
import { onlyWhatThePurposeNeeds } from './clauses/p01-only-what-the-purpose-needs.clause.js';
import { recommendationOnlyWhenPermitted } from './clauses/p02-recommendation-only-when-permitted.clause.js';
import { cooperationOnlyInsideTheNetwork } from './clauses/p04-cooperation-only-inside-the-network.clause.js';
import { noTierAboveTheAgreement } from './clauses/p07-no-tier-above-the-agreement.clause.js';
import { nothingOfAnErasedCustomer } from './clauses/p08-nothing-of-an-erased-customer.clause.js';
import { nothingWithoutPermission } from './clauses/p08-nothing-without-permission.clause.js';
import { onlyToCompaniesThatAgreed } from './clauses/p08-only-to-companies-that-agreed.clause.js';
import { onlyWhatTheAgreementLists } from './clauses/p08-only-what-the-agreement-lists.clause.js';
import { onlyWhatTheRegistrationLists } from './clauses/p08-only-what-the-registration-lists.clause.js';
import { ownPurposesOnlyInsideTheHouse } from './clauses/p10-own-purposes-only-inside-the-house.clause.js';
import { onlyForPurposesOfTheDoor } from './clauses/p12-only-for-purposes-of-the-door.clause.js';
import { cooperationOnlyAsAgreed } from './clauses/p13-cooperation-only-as-agreed.clause.js';
import { noCooperationAgainstAnObjection } from './clauses/p13-no-cooperation-against-an-objection.clause.js';
import { mailOnlyWhenPermitted } from './clauses/p16-mail-only-when-permitted.clause.js';

const GATES = [
  nothingOfAnErasedCustomer,
  onlyToCompaniesThatAgreed,
  onlyWhatTheAgreementLists,
  onlyWhatTheRegistrationLists,
  onlyWhatThePurposeNeeds,
  noTierAboveTheAgreement,
  onlyWhatTheCustomerGave,
] as const;

const PERMISSION = [nothingWithoutPermission] as const;

const COOPERATION = [
  cooperationOnlyInsideTheNetwork,
  cooperationOnlyAsAgreed,
  onlyForPurposesOfTheDoor,
  recommendationOnlyWhenPermitted,
  mailOnlyWhenPermitted,
  noCooperationAgainstAnObjection,
] as const;

const OWN_PURPOSE = [
  ownPurposesOnlyInsideTheHouse,
  onlyForPurposesOfTheDoor,
  recommendationOnlyWhenPermitted,
  mailOnlyWhenPermitted,
] as const;

export type ClauseName =
  | (typeof GATES)[number]['name']
  | (typeof PERMISSION)[number]['name']
  | (typeof COOPERATION)[number]['name']
  | (typeof OWN_PURPOSE)[number]['name'];

/** What a decision goes by. */
export interface Policy {
  /** What must hold whatever the ground. */
  readonly gates: readonly Clause<ClauseName>[];
  /** The closed list of grounds, in the order in which one is named where several hold. */
  readonly grounds: readonly GroundRule<ClauseName>[];
}

const isCooperation = (one: AgreedPurpose): boolean => one.ground === 'cooperation';

/** The policy of version POLICY_VERSION; there is no other outside of tests. */
export const POLICY: Policy = {
  gates: GATES,
  grounds: [
    // Anybody may be permitted anything that is listed for them, whatever ground the agreement names beside it.
    { ground: 'permission', claimed: () => true, clauses: PERMISSION },
    {
      ground: 'cooperation',
      claimed: ({ facts: { recipient, agreement }, purpose }) =>
        recipient.kind !== 'internal' &&
        (agreement?.purposes.some((one) => one.purpose === purpose && isCooperation(one)) ?? false),
      clauses: COOPERATION,
    },
    {
      ground: 'own-purpose',
      claimed: ({ facts: { recipient }, purpose }) =>
        recipient.registeredPurposes.some((one) => one.purpose === purpose),
      clauses: OWN_PURPOSE,
    },
  ],
};

/** Every clause once: the policy as a list. */
export const clauses: readonly Clause<ClauseName>[] = [
  ...new Set<Clause<ClauseName>>([...GATES, ...PERMISSION, ...COOPERATION, ...OWN_PURPOSE]),
];
