import { describe, expect, it } from 'vitest';
import { apps, filesBelow, libs, sources, textOf, workspaces } from './tree.js';

interface PackageJson {
  readonly name: string;
  readonly description?: string;
  readonly license?: string;
  readonly type?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}
const packageOf = (workspace: string) => JSON.parse(textOf(`${workspace}/package.json`)) as PackageJson;
const has = (file: string) => sources.includes(file);

describe.each(workspaces)('%s', (workspace) => {
  it('is a package of ours that says what it is for', () => {
    const found = packageOf(workspace);
    expect(found).toMatchObject({ license: 'Apache-2.0', type: 'module' });
    expect(found.name).toMatch(/^@castiron\//);
    expect(found.description).toMatch(/[.?]$/);
  });

  it('has no folder where anything may be put', () => {
    for (const file of filesBelow(workspace)) expect(file).not.toMatch(/\/(common|shared|utils?|core|helpers?|misc)\//);
  });
});

it.each(['.', ...workspaces])('%s pins what it depends on', (workspace) => {
  const { dependencies, devDependencies } = packageOf(workspace);
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies }))
    expect(version, name).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
});

describe('libraries', () => {
  it.each(libs)('%s answers one question, in the first line of its README', (lib) => {
    expect(textOf(`${lib}/README.md`).split('\n')[0]).toContain('?');
    expect(packageOf(lib).description).toContain('?');
  });

  it('alone have an index file, one each', () => {
    const indexes = sources.filter((file) => file.endsWith('/index.ts'));
    expect(indexes).toEqual([...libs.map((lib) => `${lib}/src/index.ts`), 'deploy/local/src/index.ts'].sort());
  });
});

describe('services', () => {
  it.each(apps)('%s says what it publishes and to what it listens, and reads its settings in one place', (app) => {
    for (const file of ['main.ts', 'config.ts', 'publications.ts', 'subscriptions.ts']) {
      expect(has(`${app}/src/${file}`), file).toBe(true);
    }
  });

  it('are all known to Nest, as are the libraries', () => {
    const { projects } = JSON.parse(textOf('nest-cli.json')) as {
      projects: Record<string, { root: string; type: string }>;
    };
    const known = Object.values(projects).map(({ root, type }) => `${type} ${root}`);
    expect(known.sort()).toEqual(
      [...apps.map((app) => `application ${app}`), ...libs.map((lib) => `library ${lib}`)].sort(),
    );
  });
});

describe('names', () => {
  const named = (ending: string) => sources.filter((file) => file.endsWith(ending));
  const base = (file: string) => file.slice(file.lastIndexOf('/') + 1);

  it('of handlers say the effect and the fact', () => {
    for (const file of named('.handler.ts')) expect(base(file)).toMatch(/^[a-z0-9-]+-when-[a-z0-9-]+\.handler\.ts$/);
  });

  it('of clauses begin with the number of their promise', () => {
    expect(named('.clause.ts').length).toBeGreaterThan(0);
    for (const file of named('.clause.ts')) {
      expect(base(file)).toMatch(/^p(0[1-9]|1[0-8])-[a-z0-9-]+\.clause\.ts$/);
      expect(file).toMatch(/^apps\/partner-sharing\/src\/confidentiality\/clauses\//);
    }
  });

  it('of migrations are numbered sentences', () => {
    for (const file of sources.filter((path) => path.includes('/migrations/') && !path.endsWith('.spec.ts'))) {
      expect(base(file)).toMatch(/^\d{4}-[a-z0-9-]+\.ts$/);
    }
  });

  it('are in kebab case', () => {
    for (const file of sources) expect(base(file)).toMatch(/^[a-z0-9]+([-.][a-z0-9]+)*\.ts$/);
  });
});

describe('decisions', () => {
  it.each(sources.filter((file) => file.endsWith('.decision.ts')))('%s has its spec beside it', (decision) => {
    const folder = decision.slice(0, decision.lastIndexOf('/') + 1);
    const name = decision.slice(folder.length).replace('.decision.ts', '');
    expect(
      sources.filter((file) => file.startsWith(folder) && file.endsWith('.spec.ts') && file.includes(`/${name}`)),
    ).not.toEqual([]);
  });
});

describe('tests', () => {
  it('are none of them skipped, left for later or run alone', () => {
    const marked = sources.filter(
      (file) =>
        file.endsWith('.spec.ts') &&
        /\b(it|test|describe)\.(\w+\.)*(skip|skipIf|runIf|only|todo|fails)\b/.test(textOf(file)),
    );
    expect(marked).toEqual([]);
  });
});
