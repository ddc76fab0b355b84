import { describe, expect, it } from 'vitest';
import { aQuestion } from '../question.example.js';
import { onlyWhatTheRegistrationLists as clause } from './p08-only-what-the-registration-lists.clause.js';

const recipient = {
  slug: 'notifications',
  kind: 'internal',
  registeredPurposes: [{ purpose: 'notices', attributes: ['email'] }],
} as const;

describe('P8: inside the house too, data is used only as registered', () => {
  it('holds for an attribute that is registered for the purpose', () => {
    expect(clause.refusal(aQuestion({ recipient, purpose: 'notices', attribute: 'email' }))).toBeUndefined();
  });

  it('refuses another attribute, and another purpose', () => {
    const refusal = 'notifications is not registered to use companyName for notices';
    expect(clause.refusal(aQuestion({ recipient, purpose: 'notices' }))).toBe(refusal);
    const other = aQuestion({ recipient, purpose: 'mailing', attribute: 'email' });
    expect(clause.refusal(other)).toBe('notifications is not registered for mailing');
  });

  it('leaves companies to their agreement', () => {
    expect(clause.refusal(aQuestion())).toBeUndefined();
  });
});
