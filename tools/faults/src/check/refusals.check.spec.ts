import { describe, expect, it } from 'vitest';
import type { Done, Outcome, Told } from '../history.js';
import { check } from './check.js';
import { done, goodRun } from './history.example.js';
import { reasonsOf } from './refusals.check.js';

const said = (...later: readonly Done[]): string[] =>
  check(goodRun({ operations: [...goodRun().operations, ...later] }))
    .map(({ kind, what }) => `${kind}: ${what}`)
    .filter((what) => what.includes('refused'));

const STALE = { status: 412, reason: 'stale-version' };
const change = (id: number, outcome: Outcome, told: Told = {}) =>
  done(id, { kind: 'change', attribute: 'email' }, outcome, told);
const withdraw = (id: number, outcome: Outcome, told: Told = {}) =>
  done(id, { kind: 'withdraw', attribute: 'email' }, outcome, told);

describe('a change', () => {
  it('of a customer who was registered is not refused as nobody known', () => {
    const unknown = { status: 404, reason: 'customer-not-found' };
    expect(said(change(4, 'fail', unknown), change(5, 'fail', unknown))).toEqual([
      'wrong: change 4 was refused as customer-not-found (404)',
      'wrong: change 5 was refused as customer-not-found (404)',
    ]);
  });

  it('is stale only after one that was never answered', () => {
    expect(said(change(4, 'fail', STALE))).toHaveLength(1);
    expect(said(withdraw(4, 'fail', STALE))).toHaveLength(1);
    expect(said(change(4, 'info'), change(5, 'fail', STALE), withdraw(6, 'fail', STALE))).toEqual([]);
    expect(said(change(4, 'info'), change(5, 'ok', { version: 3 }), change(6, 'fail', STALE))).toHaveLength(1);
    // One that may have changed nothing leaves what is under way as it is.
    expect(said(change(4, 'info'), withdraw(5, 'ok', { version: 3 }), change(6, 'fail', STALE))).toEqual([]);
    const ofAnother = { ...change(4, 'info'), customer: 'another' };
    expect(said(ofAnother, change(5, 'fail', STALE))).toHaveLength(1);
  });

  it('may find nobody there, or a service that has no room', () => {
    expect(said(change(4, 'fail', { reason: 'nobody there' }))).toEqual([]);
    expect(said(change(4, 'info', { status: 503, reason: 'temporarily-unavailable' }))).toEqual([]);
  });
});

describe('a permission', () => {
  const of = { purpose: 'recommendation', recipient: 'leaving' } as const;
  const early = { status: 409, reason: 'given-before-revocation' };
  const unagreed = { status: 422, reason: 'no-agreement-in-force' };
  const grant = (told: Told) => done(6, { kind: 'grant', ...of }, 'fail', told);
  const revoke = (outcome: Outcome) => done(4, { kind: 'revoke', ...of }, outcome, { version: 1 });

  it('is given before its revocation only where that was never answered', () => {
    expect(said(grant(early))).toHaveLength(1);
    expect(said(revoke('ok'), grant(early))).toHaveLength(1);
    expect(said(revoke('info'), grant(early))).toEqual([]);
    const ofAnother = done(4, { kind: 'revoke', ...of, recipient: 'staying' }, 'info');
    expect(said(ofAnother, grant(early))).toHaveLength(1);
  });

  it('to mail may be so by a cancellation', () => {
    const mailing = { kind: 'grant', purpose: 'mailing', recipient: 'notifications' } as const;
    expect(said(done(4, { kind: 'cancel' }, 'ok'), done(5, mailing, 'fail', early))).toEqual([]);
    expect(said(done(5, mailing, 'fail', early))).toHaveLength(1);
  });

  it('lacks an agreement only where its partner was to end it', () => {
    const terminate = (process: number) => {
      const { operation, ...rest } = done(5, { kind: 'terminate' }, 'info');
      return { ...rest, customer: undefined, operation: { ...operation, process } };
    };
    expect(said(grant(unagreed))).toHaveLength(1);
    expect(said(terminate(0), grant(unagreed))).toEqual([]);
    expect(said(terminate(1), grant(unagreed))).toHaveLength(1);
  });
});

it('whoever asks again is judged by the last answer', () => {
  const registered = (told: Told) => ({ ...done(7, { kind: 'register' }, 'info', told), customer: undefined });
  expect(said(registered({ status: 409, reason: 'answer-lost' }))).toEqual([]);
  expect(said(registered({ status: 400, reason: 'attribute-unknown' }))).toHaveLength(1);
  const terminated = (reason: string) => done(7, { kind: 'terminate' }, 'ok', { status: 409, reason });
  expect(said(terminated('agreement-terminated'))).toEqual([]);
  expect(said(terminated('not-your-agreement'))).toHaveLength(1);
});

it('reasons are counted', () => {
  const operations = [
    change(4, 'fail', STALE),
    withdraw(5, 'fail', STALE),
    change(6, 'fail', { reason: 'nobody there' }),
  ];
  const all = [...goodRun().operations, ...operations, change(7, 'info', { reason: 'TimeoutError' })];
  expect(reasonsOf(all, 'fail')).toEqual({ 'stale-version': 2, 'nobody there': 1 });
  expect(reasonsOf(all, 'info')).toEqual({ TimeoutError: 1 });
});

it('a service that cannot do something now says so; another 5xx is a bug, and so is what cannot be read', () => {
  const answered = (status: number, isRead = true) =>
    check(goodRun({ troubled: [{ question: 'PUT /x', status, isRead }] })).map(({ kind, what }) => `${kind}: ${what}`);
  expect(answered(503)).toEqual([]);
  expect(answered(500)).toEqual(['wrong: PUT /x was answered 500']);
  expect(answered(504)).toEqual(['wrong: PUT /x was answered 504']);
  expect(answered(200, false)).toEqual(['wrong: PUT /x was answered 200, with what is no JSON']);
  expect(answered(503, false)).toHaveLength(1);
});
