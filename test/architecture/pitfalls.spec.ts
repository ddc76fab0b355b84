import { ESLint, Linter, type Linter as LinterTypes } from 'eslint';
import { describe, expect, it } from 'vitest';
import { ROOT, filesBelow, sources, testNamesOf, textOf, workspaces } from './tree.js';

const rows = textOf('docs/pitfalls.md')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| what'))
  .map((line) => line.slice(1, -1).split(' | '));

/** Each test that a cell names: its file, and its name as it is written there. */
const testsIn = (cell = '') =>
  [...cell.matchAll(/`([^`]+)` "([^"]+)"/g)].map(([, file = '', name = '']) => ({ file, name }));

describe('what is known to break', () => {
  it('is many things', () => {
    expect(rows.length).toBeGreaterThan(40);
  });

  it.each(rows.map((row) => [row[0]?.trim(), row] as const))('is held by tests that exist: %s', (_, row) => {
    expect(row).toHaveLength(3);
    const tests = testsIn(row[2]);
    expect(tests).not.toEqual([]);
    for (const { file, name } of tests) {
      expect(sources).toContain(file);
      expect(testNamesOf(file)).toContain(name);
    }
  });
});

const product = sources.filter((file) => /^(libs|apps)\//.test(file) && !/\.spec\.ts$|\/testing\//.test(file));
const filesWith = (pattern: RegExp): string[] => product.filter((file) => pattern.test(textOf(file)));

describe('the services', () => {
  it('do not use the transport of NestJS', () => {
    for (const workspace of workspaces)
      expect(textOf(`${workspace}/package.json`)).not.toContain('@nestjs/microservices');
    expect(filesWith(/@(Message|Event)Pattern\b/)).toEqual([]);
  });

  it('notify outside of transactions, in one place', () => {
    expect(filesWith(/\bNOTIFY\b|pg_notify/)).toEqual(['libs/outbox/src/wake-channel.ts']);
  });

  it('lock for a transaction, and for a session only where it ends with its connection', () => {
    const files = filesWith(/pg_(try_)?advisory_lock/);
    expect(files).toHaveLength(2);
    for (const file of files)
      expect(textOf(file), file).toMatch(
        /const lock = new HeardClient\([^]*lock\.query(<[^>]*>)?\('SELECT pg_(try_)?advisory_lock[^]*finally \{\s*await lock\.end/,
      );
  });

  it('read where they write, and from no replica', () => {
    expect(filesWith(/\breplication\b/)).toEqual([]);
  });

  it.each([
    'libs/outbox/src/relay.ts',
    'apps/partner-sharing/src/run.ts',
    filesBelow('test/flows', '.spec.ts')[0] ?? '',
  ])(
    'may not make query runners, and the linter says so',
    async (file) => {
      const config = (await new ESLint({ cwd: ROOT }).calculateConfigForFile(file)) as LinterTypes.Config;
      const rules = { 'no-restricted-syntax': config.rules?.['no-restricted-syntax'] } as LinterTypes.RulesRecord;
      const found = new Linter().verify('dataSource.createQueryRunner()', [{ rules }]);
      expect(found.map(({ severity, message }) => [severity, message])).toEqual([
        [2, expect.stringContaining('query runner')],
      ]);
      // The linter takes its time to read its settings.
    },
    60_000,
  );
});
