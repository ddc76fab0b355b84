import { describe, expect, it } from 'vitest';
import { aQuestion } from '../question.example.js';
import { onlyWhatTheCustomerGave as clause } from './p01-only-what-the-customer-gave.clause.js';

describe('P1: what is voluntary may be absent or withdrawn', () => {
  it('holds while the customer lets us hold it', () => {
    expect(clause.refusal(aQuestion())).toBeUndefined();
  });

  it('refuses what was never given, or was withdrawn', () => {
    expect(clause.refusal(aQuestion({ attribute: 'phone' }))).toBe(
      'the customer has not given phone, or has withdrawn it',
    );
    expect(clause.refusal(aQuestion({ customer: { held: [] } }))).toBeDefined();
  });
});
