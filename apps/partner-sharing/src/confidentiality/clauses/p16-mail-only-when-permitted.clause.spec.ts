import { describe, expect, it } from 'vitest';
import { aQuestion } from '../question.example.js';
import { mailOnlyWhenPermitted as clause } from './p16-mail-only-when-permitted.clause.js';

describe('P16: mail about products and events stops with one request', () => {
  it('refuses mailing any ground but the permission, inside the house too', () => {
    expect(clause.refusal(aQuestion({ purpose: 'mailing' }))).toBe('mailing needs the permission of the customer');
    expect(clause.refusal(aQuestion({ purpose: 'mailing', recipient: { kind: 'internal' } }))).toBeDefined();
  });

  it('says nothing of notices that a customer must get', () => {
    expect(clause.refusal(aQuestion({ purpose: 'notices' }))).toBeUndefined();
  });
});
