import { describe, expect, it } from 'vitest';
import { aQuestion } from '../question.example.js';
import { recommendationOnlyWhenPermitted as clause } from './p02-recommendation-only-when-permitted.clause.js';

describe('P2: recommending further services is off unless permitted', () => {
  it('refuses recommendation any ground but the permission, inside the house too', () => {
    expect(clause.refusal(aQuestion({ purpose: 'recommendation' }))).toBe(
      'recommendation needs the permission of the customer',
    );
    expect(clause.refusal(aQuestion({ purpose: 'recommendation', recipient: { kind: 'internal' } }))).toBeDefined();
  });

  it('says nothing of other purposes', () => {
    expect(clause.refusal(aQuestion())).toBeUndefined();
  });
});
