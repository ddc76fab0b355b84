import { describe, expect, it } from 'vitest';
import { aQuestion } from '../question.example.js';
import { cooperationOnlyAsAgreed as clause } from './p13-cooperation-only-as-agreed.clause.js';

describe('P13: cooperation is what both sides signed as such', () => {
  it('holds for what the agreement lists as cooperation', () => {
    expect(clause.refusal(aQuestion())).toBeUndefined();
  });

  it('refuses what it lists for permission only, also where the purpose has cooperation for other attributes', () => {
    const purposes = [
      { purpose: 'service-delivery', attributes: ['phone'], ground: 'cooperation' },
      { purpose: 'service-delivery', attributes: ['companyName'], ground: 'permission' },
      { purpose: 'security', attributes: ['companyName'], ground: 'cooperation' },
    ] as const;
    const refusal = 'no agreement with northern-hosting lists companyName for service-delivery as cooperation';
    expect(clause.refusal(aQuestion({ agreement: { purposes } }))).toBe(refusal);
    expect(clause.refusal(aQuestion({ agreement: null }))).toBe(refusal);
  });
});
