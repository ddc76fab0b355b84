import { DOORS } from '@castiron/contracts';
import { describe, expect, it } from 'vitest';
import { aQuestion } from '../question.example.js';
import { onlyForPurposesOfTheDoor as clause } from './p12-only-for-purposes-of-the-door.clause.js';

describe('P12: data serves only the purposes of the door it came in by', () => {
  it('holds for a purpose of the door', () => {
    expect(clause.refusal(aQuestion())).toBeUndefined();
  });

  it('refuses a purpose of another door: nothing of an applicant is carried over to a customer', () => {
    const customer = { door: 'job-application', purposes: DOORS['job-application'] } as const;
    const refusal = 'the customer’s data came in by job-application, and not for service-delivery';
    expect(clause.refusal(aQuestion({ customer }))).toBe(refusal);
  });

  it('refuses unless both the door and the taking in name the purpose', () => {
    expect(clause.refusal(aQuestion({ customer: { purposes: ['invoicing'] } }))).toBeDefined();
    expect(
      clause.refusal(aQuestion({ customer: { door: 'subscription', purposes: ['service-delivery'] } })),
    ).toBeDefined();
  });
});
