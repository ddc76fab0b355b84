import { matchesGlob } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROMISES } from './promises.js';
import { filesBelow, sources, testNamesOf, textOf } from './tree.js';

const CLAUSES = 'apps/partner-sharing/src/confidentiality/clauses';
/** What vitest.config.ts runs. */
const RUN = [
  '{libs,apps,examples,tools}/*/src/**/*.spec.ts',
  'deploy/local/src/**/*.spec.ts',
  'test/{flows,guarantees,architecture}/**/*.spec.ts',
];

const kept = Object.entries(PROMISES);
const numberOf = (promise: string) => `p${promise.slice(1).padStart(2, '0')}`;

describe('the promises of the statement', () => {
  it('are all eighteen here', () => {
    expect(Object.keys(PROMISES)).toEqual(Array.from({ length: 18 }, (_, at) => `P${at + 1}`));
  });

  it.each(kept)('%s is shown by something, or said to be not yet kept', (_, { clauses = [], tests = {}, notYet }) => {
    expect(clauses.length + Object.keys(tests).length > 0 || notYet !== undefined).toBe(true);
    // A clause alone is only written policy.
    if (clauses.length > 0) expect(Object.keys(tests)).not.toEqual([]);
  });

  it.each(kept)('%s names clauses of its own that exist', (promise, { clauses = [] }) => {
    for (const clause of clauses) {
      expect(clause.startsWith(`${numberOf(promise)}-`), clause).toBe(true);
      expect(sources).toContain(`${CLAUSES}/${clause}.clause.ts`);
    }
  });

  it.each(kept)('%s names tests that exist and run', (_, { tests = {} }) => {
    for (const [file, names] of Object.entries(tests)) {
      expect(sources).toContain(file);
      expect(
        RUN.some((glob) => matchesGlob(file, glob)),
        file,
      ).toBe(true);
      expect(testNamesOf(file)).toEqual(expect.arrayContaining([...names]));
    }
  });
});

describe('what shows a promise', () => {
  it('has each clause of the decision in its promise', () => {
    const named = kept.flatMap(([, { clauses = [] }]) => clauses);
    const found = filesBelow(CLAUSES, '.clause.ts').map((file) =>
      file.slice(CLAUSES.length + 1).replace('.clause.ts', ''),
    );
    expect([...named].sort()).toEqual(found);
  });

  it('has each flow and guarantee in some promise or in the table of guarantees', () => {
    const named = new Set(kept.flatMap(([, { tests = {} }]) => Object.keys(tests)));
    const readme = textOf('README.md');
    const files = [...filesBelow('test/flows', '.spec.ts'), ...filesBelow('test/guarantees', '.spec.ts')];
    expect(files.length).toBeGreaterThan(0);
    expect(files.filter((file) => !named.has(file) && !readme.includes(file))).toEqual([]);
  });

  it('runs by globs that vitest.config.ts has', () => {
    const config = textOf('vitest.config.ts');
    for (const folder of [
      '{libs,apps,examples,tools}/*/src/**/*.spec.ts',
      'deploy/local/src/**/*.spec.ts',
      'test/{flows,guarantees}/**/*.spec.ts',
    ]) {
      expect(config).toContain(folder);
    }
  });
});

describe('the guarantees in the README', () => {
  const rows = [...textOf('README.md').matchAll(/^\| (G\d+) \|(.*)\|(.*)\|\s*$/gm)].map(
    ([, name = '', , state = '']) => ({ name, state: state.trim() }),
  );

  it('are all thirteen there', () => {
    expect(rows.map(({ name }) => name)).toEqual(Array.from({ length: 13 }, (_, at) => `G${at + 1}`));
  });

  it.each(rows)('$name claims what a test shows, and has no test it does not speak of', ({ name, state }) => {
    const prefix = `test/guarantees/g${name.slice(1).padStart(2, '0')}-`;
    const files = sources.filter((file) => file.startsWith(prefix));
    if (files.length === 0) expect(state).toMatch(/^not yet/);
    else expect(state).not.toMatch(/^not yet/);
    for (const file of files) expect(state).toContain(file);
  });
});
