import { describe, expect, it } from 'vitest';
import { aQuestion } from '../question.example.js';
import { onlyToCompaniesThatAgreed as clause } from './p08-only-to-companies-that-agreed.clause.js';

describe('P8: data is disclosed only to companies that agreed to the Agreement of confidentiality', () => {
  it('holds while the agreement is in force', () => {
    expect(clause.refusal(aQuestion())).toBeUndefined();
    expect(clause.refusal(aQuestion({ agreement: { until: null } }))).toBeUndefined();
  });

  it('refuses without an agreement', () => {
    expect(clause.refusal(aQuestion({ agreement: null }))).toBe('northern-hosting has no agreement of confidentiality');
  });

  it.each([
    ['drafted', 'the agreement with northern-hosting is not signed by both sides'],
    ['terminated', 'the agreement with northern-hosting is terminated'],
  ] as const)('refuses one that is %s', (state, refusal) => {
    expect(clause.refusal(aQuestion({ agreement: { state } }))).toBe(refusal);
  });

  it('goes by the clock: from the first instant of the term on, and no longer at its last', () => {
    const at = (now: string) => clause.refusal(aQuestion({ now: new Date(now) }));
    expect(at('2025-12-31T23:59:59.999Z')).toBe('the agreement with northern-hosting has not begun');
    expect(at('2026-01-01T00:00:00.000Z')).toBeUndefined();
    expect(at('2026-12-31T23:59:59.999Z')).toBeUndefined();
    expect(at('2027-01-01T00:00:00.000Z')).toBe('the agreement with northern-hosting has expired');
  });

  it('refuses a term that is no date', () => {
    const broken = new Date(Number.NaN);
    expect(clause.refusal(aQuestion({ agreement: { from: broken } }))).toBeDefined();
    expect(clause.refusal(aQuestion({ agreement: { until: broken } }))).toBeDefined();
  });

  it('asks no agreement of a service of the house', () => {
    expect(clause.refusal(aQuestion({ agreement: null, recipient: { kind: 'internal' } }))).toBeUndefined();
  });
});
