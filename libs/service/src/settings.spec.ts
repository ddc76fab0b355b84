import { describe, expect, it } from 'vitest';
import { BadSettings, fixed, flag, list, oneOf, parseSettings, text, url, wholeNumber } from './settings.js';

const spec = {
  name: fixed('svc'),
  port: wholeNumber('PORT', { min: 0, max: 65_535 }),
  database: url('DATABASE_URL', ['postgresql:'], { secret: true }),
  password: text('PASSWORD', { secret: true, pattern: /^.{12,}$/ }),
  brokers: list('BROKERS', { each: /^[^\s:]+:\d+$/ }),
  ssl: flag('SSL', { fallback: false }),
  level: oneOf('LEVEL', ['info', 'debug'], { fallback: 'info' }),
};

const good = {
  PORT: '8080',
  DATABASE_URL: 'postgresql://u:p@h/db',
  PASSWORD: 'long-enough-password',
  BROKERS: 'a:1, b:2',
};

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    parseSettings(env, spec);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(BadSettings);
    return (error as BadSettings).problems;
  }
}

describe('settings', () => {
  it('are typed, complete and frozen', () => {
    const settings = parseSettings(good, spec);
    expect(settings).toEqual({
      name: 'svc',
      port: 8080,
      database: 'postgresql://u:p@h/db',
      password: 'long-enough-password',
      brokers: ['a:1', 'b:2'],
      ssl: false,
      level: 'info',
    });
    expect(Object.isFrozen(settings)).toBe(true);
  });

  it('that are bad are all named at once', () => {
    expect(problemsOf({ PORT: '70000', DATABASE_URL: '', BROKERS: 'a', PASSWORD: good.PASSWORD, SSL: 'yes' })).toEqual([
      'PORT must be a whole number from 0 to 65535, and is "70000"',
      'DATABASE_URL is missing',
      'BROKERS must be a list, separated by commas, of ^[^\\s:]+:\\d+$, and is "a"',
      'SSL must be true or false, and is "yes"',
    ]);
  });

  it('never show a secret, not even a bad one', () => {
    const problems = problemsOf({ ...good, DATABASE_URL: 'mysql://u:hunter2@h', PASSWORD: 'hunter2' });
    expect(problems).toHaveLength(2);
    expect(problems.join()).not.toContain('hunter2');
  });

  it.each(['', ' 1', '1.5', '-1', '0x10', '1e3'])('do not take %j for a number', (raw) => {
    expect(problemsOf({ ...good, PORT: raw })).toHaveLength(1);
  });
});
