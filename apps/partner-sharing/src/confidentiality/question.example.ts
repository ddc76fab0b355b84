import type { Question } from './clause.js';
import type { AgreementFacts, CustomerFacts, Facts, RecipientFacts } from './facts.js';

/** What an example changes of the usual case. */
interface Changes {
  readonly recipient?: Partial<RecipientFacts>;
  readonly agreement?: Partial<AgreementFacts> | null;
  readonly customer?: Partial<CustomerFacts>;
  readonly permissions?: Facts['permissions'];
  readonly objections?: Facts['objections'];
  readonly attribute?: Question['attribute'];
  readonly purpose?: Question['purpose'];
  readonly now?: Date;
}

/**
 * The usual case of the specs: a network member with an agreement in force through 2026 asks, for `service-delivery`
 * and as cooperation, for the company name of a customer who ordered a service. Every clause but the permission holds.
 */
export function aQuestion(changes: Changes = {}): Question {
  const agreement: AgreementFacts = {
    id: '0d9a41f7-35d5-4f5c-9a4f-0f7a5e0d6f01',
    state: 'in-force',
    from: new Date('2026-01-01T00:00:00Z'),
    until: new Date('2027-01-01T00:00:00Z'),
    highestTier: 'confidential',
    purposes: [{ purpose: 'service-delivery', attributes: ['companyName', 'phone'], ground: 'cooperation' }],
  };
  return {
    attribute: changes.attribute ?? 'companyName',
    purpose: changes.purpose ?? 'service-delivery',
    now: changes.now ?? new Date('2026-11-23T12:00:00Z'),
    facts: {
      recipient: { slug: 'northern-hosting', kind: 'network-member', registeredPurposes: [], ...changes.recipient },
      agreement: changes.agreement === null ? null : { ...agreement, ...changes.agreement },
      customer: {
        erased: false,
        door: 'service-order',
        purposes: ['invoicing', 'service-delivery', 'security', 'notices'],
        held: ['companyName', 'registeredAddress', 'servicesUsed', 'email'],
        ...changes.customer,
      },
      permissions: changes.permissions ?? {},
      objections: changes.objections ?? [],
    },
  };
}
