import { describe, expect, it } from 'vitest';
import { check } from './check.js';
import { done, goodRun, KEY, permission } from './history.example.js';
import type { Observed } from './observed.js';

const said = (over: Partial<Observed>): string[] => [...new Set(check(goodRun(over)).map(({ kind }) => kind))];
const standing = (version: number, state: 'granted' | 'revoked') => new Map([[KEY, { version, state }]]);

describe('a permission', () => {
  it('is told as it was asked for', () => {
    expect(said({ permissions: [permission(1, 'revoked')] })).toEqual(['wrong']);
  });

  it('stands as the last that was acknowledged left it', () => {
    expect(said({ permitted: standing(1, 'revoked') })).toContain('wrong');
    expect(said({ permitted: new Map() })).toContain('lost');
  });

  it('stands otherwise only by one that nobody has an answer to', () => {
    const over = {
      permitted: standing(2, 'granted'),
      permissions: [permission(1, 'granted'), permission(2, 'granted')],
    };
    expect(said(over)).toContain('invented');
    const { operations } = goodRun();
    const revoked = done(4, { kind: 'revoke', purpose: 'recommendation' }, 'info');
    expect(said({ ...over, operations: [...operations, revoked] })).toEqual(['invented']);
    const granted = done(4, { kind: 'grant', purpose: 'recommendation' }, 'info');
    expect(said({ ...over, operations: [...operations, granted] })).toEqual([]);
  });
});
