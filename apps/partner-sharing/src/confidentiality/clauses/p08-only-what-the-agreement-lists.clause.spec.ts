import { describe, expect, it } from 'vitest';
import { aQuestion } from '../question.example.js';
import { onlyWhatTheAgreementLists as clause } from './p08-only-what-the-agreement-lists.clause.js';

describe('P8: a company gets what its agreement lists', () => {
  it('holds for an attribute that is listed for the purpose, on whatever ground', () => {
    expect(clause.refusal(aQuestion())).toBeUndefined();
    const purposes = [
      { purpose: 'service-delivery', attributes: ['email'], ground: 'cooperation' },
      { purpose: 'service-delivery', attributes: ['companyName'], ground: 'permission' },
    ] as const;
    expect(clause.refusal(aQuestion({ agreement: { purposes } }))).toBeUndefined();
  });

  it('refuses an attribute that is not listed for the purpose', () => {
    const refusal = 'the agreement with northern-hosting does not list email for service-delivery';
    expect(clause.refusal(aQuestion({ attribute: 'email' }))).toBe(refusal);
  });

  it('refuses a purpose that is not listed, whatever is listed for others', () => {
    expect(clause.refusal(aQuestion({ purpose: 'security' }))).toBe(
      'no agreement with northern-hosting lists security',
    );
    expect(clause.refusal(aQuestion({ agreement: null }))).toBe(
      'no agreement with northern-hosting lists service-delivery',
    );
  });

  it('leaves services of the house to their registration', () => {
    expect(clause.refusal(aQuestion({ agreement: null, recipient: { kind: 'internal' } }))).toBeUndefined();
  });
});
