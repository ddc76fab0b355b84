import { RECIPIENT_KINDS } from '@castiron/contracts';
import { describe, expect, it } from 'vitest';
import { aQuestion } from '../question.example.js';
import { cooperationOnlyInsideTheNetwork as clause } from './p04-cooperation-only-inside-the-network.clause.js';

describe('P4: a network of small companies renders the services', () => {
  it('holds for members of the network, and for no other kind of recipient', () => {
    const allowed = RECIPIENT_KINDS.filter((kind) => clause.refusal(aQuestion({ recipient: { kind } })) === undefined);
    expect(allowed).toEqual(['network-member']);
  });

  it('names who is no member', () => {
    expect(clause.refusal(aQuestion({ recipient: { kind: 'third-party' } }))).toBe(
      'northern-hosting is no member of the network',
    );
  });
});
