import { describe, expect, it } from 'vitest';
import { aQuestion } from '../question.example.js';
import { nothingWithoutPermission as clause } from './p08-nothing-without-permission.clause.js';

describe('P8: nothing is used or disclosed without permission', () => {
  it('holds for the very purpose that was permitted', () => {
    expect(clause.refusal(aQuestion({ permissions: { 'service-delivery': 'granted' } }))).toBeUndefined();
  });

  it('takes silence for no permission', () => {
    const refusal = 'the customer has not permitted northern-hosting to use data for service-delivery';
    expect(clause.refusal(aQuestion())).toBe(refusal);
  });

  it('takes a permission for another purpose for none', () => {
    expect(clause.refusal(aQuestion({ permissions: { security: 'granted', mailing: 'granted' } }))).toBeDefined();
  });

  it('says that a permission was revoked', () => {
    const refusal = 'the customer revoked the permission for northern-hosting to use data for service-delivery';
    expect(clause.refusal(aQuestion({ permissions: { 'service-delivery': 'revoked' } }))).toBe(refusal);
  });
});
