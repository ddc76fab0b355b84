import { RECIPIENT_KINDS } from '@castiron/contracts';
import { describe, expect, it } from 'vitest';
import { aQuestion } from '../question.example.js';
import { ownPurposesOnlyInsideTheHouse as clause } from './p10-own-purposes-only-inside-the-house.clause.js';

describe('P10: the list of grounds is closed', () => {
  it('gives the own purpose to services of the house, and to no other kind of recipient', () => {
    const allowed = RECIPIENT_KINDS.filter((kind) => clause.refusal(aQuestion({ recipient: { kind } })) === undefined);
    expect(allowed).toEqual(['internal']);
    expect(clause.refusal(aQuestion())).toBe('northern-hosting is no service of the house');
  });
});
