import { instantOf, isLine } from '@castiron/service';
import { describe, expect, it } from 'vitest';
import { checkRow as check } from './permission-row.decision.js';

const checkRow = (row: unknown) => check(row, { isLine, instantOf });

const row = {
  customer: '5f0c5a0e-6ff2-4d1e-8d0e-2f1f3c1a9b10',
  recipient: 'northern-hosting',
  purpose: 'recommendation',
  how: 'signed form',
  givenAt: '2026-11-01T10:00:00Z',
  statementVersion: 1,
};

describe('a row of permissions', () => {
  it('becomes a permission with its evidence', () => {
    expect(checkRow(row)).toEqual({
      customer: row.customer,
      recipient: row.recipient,
      purpose: row.purpose,
      evidence: { how: row.how, givenAt: new Date(row.givenAt), statementVersion: 1 },
    });
  });

  it.each([
    ['row', null],
    ['customer', { ...row, customer: 'secret-name' }],
    ['recipient', { ...row, recipient: 'P1.eu' }],
    ['purpose', { ...row, purpose: 'constructor' }],
    ['how', { ...row, how: ' ' }],
    ['how', { ...row, how: 'two\nlines' }],
    ['how', { ...row, how: 'a\u0000b' }],
    ['how', { ...row, how: 'signed\u2028form' }],
    ['how', { ...row, how: 'signed \u202emrof' }],
    ['how', { ...row, how: 'signed \ud83d' }],
    ['givenAt', { ...row, givenAt: '2026-11-01' }],
    ['givenAt', { ...row, givenAt: '1000-01-01T00:00:00Z' }],
    ['givenAt', { ...row, givenAt: '2026-02-30T00:00:00Z' }],
    ['givenAt', { ...row, givenAt: '2026-13-45T00:00:00Z' }],
    ['statementVersion', { ...row, statementVersion: 0 }],
    ['statementVersion', { ...row, statementVersion: '1' }],
  ])('is refused naming %s and showing no value', (field, bad) => {
    const checked = checkRow(bad);
    expect(checked).toHaveProperty('reason');
    expect(JSON.stringify(checked)).toContain(`"${field}:`);
    expect(JSON.stringify(checked)).not.toContain('secret-name');
  });
});
