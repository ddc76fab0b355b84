import { describe, expect, it } from 'vitest';
import { aQuestion } from '../question.example.js';
import { noCooperationAgainstAnObjection as clause } from './p13-no-cooperation-against-an-objection.clause.js';

describe('P13: who objects to cooperation is not transferred by it', () => {
  it('holds without an objection, and with one to another purpose', () => {
    expect(clause.refusal(aQuestion())).toBeUndefined();
    expect(
      clause.refusal(aQuestion({ objections: ['security'], permissions: { security: 'revoked' } })),
    ).toBeUndefined();
  });

  it('refuses against an objection', () => {
    const refusal = 'the customer objected to cooperation with northern-hosting for service-delivery';
    expect(clause.refusal(aQuestion({ objections: ['service-delivery'] }))).toBe(refusal);
  });

  it('takes a revoked permission for an objection', () => {
    const refusal = clause.refusal(aQuestion({ permissions: { 'service-delivery': 'revoked' } }));
    expect(refusal).toMatch(/is an objection to cooperation too/);
  });
});
