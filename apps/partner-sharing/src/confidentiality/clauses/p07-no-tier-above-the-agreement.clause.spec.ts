import { TIERS } from '@castiron/contracts';
import { describe, expect, it } from 'vitest';
import { aQuestion } from '../question.example.js';
import { noTierAboveTheAgreement as clause } from './p07-no-tier-above-the-agreement.clause.js';

describe('P7: data is protected by its tier', () => {
  it('holds up to the highest tier of the agreement, that one included', () => {
    const tiersThatCarryPhone = TIERS.filter(
      (highestTier) => clause.refusal(aQuestion({ attribute: 'phone', agreement: { highestTier } })) === undefined,
    );
    expect(tiersThatCarryPhone).toEqual(['confidential', 'restricted']);
  });

  it('names both tiers where it refuses', () => {
    const question = aQuestion({ attribute: 'phone', agreement: { highestTier: 'internal' } });
    expect(clause.refusal(question)).toBe('phone is confidential, and the agreement ends at internal');
  });

  it('caps nothing inside the house', () => {
    const agreement = { highestTier: 'public' } as const;
    expect(
      clause.refusal(aQuestion({ attribute: 'phone', agreement, recipient: { kind: 'internal' } })),
    ).toBeUndefined();
  });
});
