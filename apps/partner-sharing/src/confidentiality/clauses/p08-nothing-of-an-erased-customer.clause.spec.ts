import { describe, expect, it } from 'vitest';
import { aQuestion } from '../question.example.js';
import { nothingOfAnErasedCustomer as clause } from './p08-nothing-of-an-erased-customer.clause.js';

describe('P8: nothing of an erased customer goes anywhere', () => {
  it('holds for a customer who is with us', () => {
    expect(clause.refusal(aQuestion())).toBeUndefined();
  });

  it('refuses whatever the other facts still say', () => {
    const question = aQuestion({ customer: { erased: true }, permissions: { 'service-delivery': 'granted' } });
    expect(clause.refusal(question)).toBe('the customer is erased');
  });
});
