import { describe, expect, it } from 'vitest';
import { isPassing, ok, Poison, problemOf, Refused, refused, Retryable, valueOf, type RefusalKind } from './index.js';

const STATUS: Record<RefusalKind, number> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  stale: 412,
  'precondition-required': 428,
  'too-large': 413,
  unprocessable: 422,
  unavailable: 503,
};

describe('a refusal', () => {
  it.each(Object.entries(STATUS))('of kind %s answers %i', (kind, status) => {
    const problem = problemOf(new Refused({ kind: kind as RefusalKind, code: 'some-code', detail: 'Why.' }));
    expect(problem.status).toBe(status);
    expect(problem.body).toMatchObject({
      type: 'urn:castiron:problem:some-code',
      status,
      detail: 'Why.',
      code: 'some-code',
    });
  });

  it('names field, promise and extras, and no extra replaces a standard member', () => {
    const { body } = problemOf(
      new Refused({
        kind: 'invalid',
        code: 'x',
        detail: 'd',
        field: 'a.b',
        promise: 'P1',
        clauses: ['p08'],
        status: 200,
        title: 'fine',
      }),
    );
    expect(body).toMatchObject({
      field: 'a.b',
      promise: 'P1',
      clauses: ['p08'],
      status: 400,
      title: 'The request is not valid',
    });
    expect(body).not.toHaveProperty('kind');
  });

  it('travels as a value, and as an exception only where it must', () => {
    expect(valueOf(ok(3))).toBe(3);
    expect(() => valueOf(refused({ kind: 'conflict', code: 'taken', detail: 'It is taken.' }))).toThrow(Refused);
  });
});

describe('a failure that is no refusal', () => {
  it('tells nothing about itself', () => {
    const answer = problemOf(new Error('duplicate key value (email)=(quince@example.org)'));
    expect(answer.status).toBe(500);
    expect(JSON.stringify(answer)).not.toContain('quince');
  });

  it('asks to try again where the cause may pass, still without details', () => {
    const answer = problemOf(Object.assign(new Error('connect ECONNREFUSED 10.0.0.5:5432'), { code: 'ECONNREFUSED' }));
    expect(answer.status).toBe(503);
    expect(JSON.stringify(answer)).not.toContain('10.0.0.5');
  });
});

describe('what may pass', () => {
  it.each([
    ['a refused connection', Object.assign(new Error(), { code: 'ECONNREFUSED' })],
    ['a deadlock', Object.assign(new Error(), { code: '40P01' })],
    ['a database that shuts down', Object.assign(new Error(), { code: '57P01' })],
    ['a transaction that took too long', Object.assign(new Error(), { code: '25P04' })],
    ['too many connections', Object.assign(new Error(), { code: '53300' })],
    ['a prepared statement that is gone', Object.assign(new Error(), { code: '26000' })],
    ['a lost connection', new Error('Connection terminated unexpectedly')],
    ['the driver error inside an ORM error', Object.assign(new Error(), { driverError: { code: '08006' } })],
    [
      'the cause of a failed fetch',
      new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ECONNRESET' }) }),
    ],
    ['one of several addresses refused', new AggregateError([Object.assign(new Error(), { code: 'ECONNREFUSED' })])],
    ['what a Kafka client calls retriable', Object.assign(new Error(), { retriable: true })],
    ['what we call retryable', new Retryable('not yet')],
  ])('%s', (_name, error) => {
    expect(isPassing(error)).toBe(true);
  });

  it.each([
    ['a unique violation', Object.assign(new Error(), { code: '23505' })],
    ['a syntax error', Object.assign(new Error(), { code: '42601' })],
    ['a bug', new TypeError('x is not a function')],
    ['poison', new Poison('bad-json')],
    ['a refusal', new Refused({ kind: 'invalid', code: 'c', detail: 'd' })],
    ['nothing at all', undefined],
  ])('but not %s', (_name, error) => {
    expect(isPassing(error)).toBe(false);
  });

  it('ends on a cause that is its own cause', () => {
    const error = new Error('round');
    error.cause = error;
    expect(isPassing(error)).toBe(false);
  });
});
