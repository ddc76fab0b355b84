import { describe, expect, it } from 'vitest';
import { aQuestion } from '../question.example.js';
import { onlyWhatThePurposeNeeds as clause } from './p01-only-what-the-purpose-needs.clause.js';

describe('P1: data goes only for a purpose that needs it', () => {
  it('holds for what the catalogue has among the needs of the purpose, compulsory or voluntary', () => {
    expect(clause.refusal(aQuestion({ purpose: 'invoicing', attribute: 'registeredAddress' }))).toBeUndefined();
    expect(clause.refusal(aQuestion({ purpose: 'invoicing', attribute: 'vatNumber' }))).toBeUndefined();
  });

  it('refuses what it does not need, even where an agreement lists it', () => {
    const purposes = [
      { purpose: 'service-delivery', attributes: ['registeredAddress'], ground: 'permission' },
    ] as const;
    const question = aQuestion({ attribute: 'registeredAddress', agreement: { purposes } });
    expect(clause.refusal(question)).toBe('service-delivery does not need registeredAddress');
  });
});
