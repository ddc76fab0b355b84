import {
  cruise,
  type ICruiseOptions,
  type IConfiguration,
  type ICruiseResult,
  type IFlattenedRuleSet,
} from 'dependency-cruiser';
import { execa } from 'execa';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from './tree.js';

const { default: config } = (await import(`${ROOT}/.dependency-cruiser.mjs`)) as { default: IConfiguration };
const ruleSet = { forbidden: config.forbidden } as IFlattenedRuleSet;

async function violationsIn(baseDir: string, folders: string[], resolve: ICruiseOptions = {}): Promise<string[]> {
  const { output } = await cruise(
    folders,
    { ...resolve, baseDir, validate: true, ruleSet },
    config.options?.enhancedResolveOptions,
  );
  return (output as ICruiseResult).summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`);
}

/** Each rule with the smallest tree that breaks it: file -> what it imports. */
const PLANTED: Record<string, Record<string, string[]>> = {
  'no-cycles': { 'libs/a/src/one.ts': ['./two'], 'libs/a/src/two.ts': ['./one'] },
  'no-app-to-app': { 'apps/a/src/x.ts': ['../../b/src/y'], 'apps/b/src/y.ts': [] },
  'apps-import-libs-only': { 'apps/a/src/x.ts': ['../../../deploy/local/src/y'], 'deploy/local/src/y.ts': [] },
  'libs-import-libs-only': { 'libs/a/src/x.ts': ['../../../apps/b/src/y'], 'apps/b/src/y.ts': [] },
  'testing-only-in-tests': { 'libs/a/src/x.ts': ['../../testing/src/index'], 'libs/testing/src/index.ts': [] },
  'libraries-by-their-entry': { 'apps/a/src/x.ts': ['../../../libs/b/src/inner'], 'libs/b/src/inner.ts': [] },
  'libraries-by-their-entry-in-specs': {
    'apps/a/src/x.spec.ts': ['../../../libs/b/src/inner'],
    'libs/b/src/inner.ts': [],
  },
  'kafka-clients-only-in-libs-kafka': { 'apps/a/src/x.ts': ['kafkajs'] },
  'decisions-are-pure': { 'apps/a/src/x.decision.ts': ['typeorm'] },
  'publishing-only-through-the-outbox': {
    'apps/a/src/x.use-case.ts': ['../../../libs/kafka/src/index'],
    'libs/kafka/src/index.ts': [],
  },
  'no-unresolvable': { 'libs/a/src/x.ts': ['./nowhere'] },
  'no-undeclared-package': { 'libs/a/src/x.ts': ['left-out'], 'node_modules/left-out/index.js': [] },
  'tests-stay-out': { 'libs/a/src/x.ts': ['./y.spec'], 'libs/a/src/y.spec.ts': [] },
};

describe('the arrows of the tree', () => {
  it('point the right way, without a cycle', async () => {
    // The very command of `npm run lint`, which resolves by tsconfig.json: the config as the command line reads it.
    const run = await execa(
      'depcruise',
      ['--config', '.dependency-cruiser.mjs', 'libs', 'apps', 'examples', 'tools', 'deploy', 'test'],
      {
        cwd: ROOT,
        preferLocal: true,
        reject: false,
        all: true,
      },
    );
    expect(run.exitCode, run.all).toBe(0);
    // A run that saw nothing has proved nothing.
    expect(Number(/(\d+) modules/.exec(run.all)?.[1] ?? 0)).toBeGreaterThan(100);
  }, 60_000);
});

describe('each rule of the arrows', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'castiron-arrows-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('has a planted violation here', () => {
    expect(Object.keys(PLANTED).sort()).toEqual(config.forbidden?.map(({ name }) => name).sort());
  });

  it.each(Object.entries(PLANTED))('sees its violation: %s', async (rule, files) => {
    const tree = join(folder, rule);
    await mkdir(tree);
    await writeFile(join(tree, 'package.json'), '{}');
    for (const [file, imports] of Object.entries(files)) {
      await mkdir(dirname(join(tree, file)), { recursive: true });
      const lines = imports.map((path, at) => `import * as m${at} from '${path}'; console.log(m${at});`);
      await writeFile(join(tree, file), `${lines.join('\n')}\nexport {};\n`);
    }
    const roots = [...new Set(Object.keys(files).map((file) => file.split('/')[0] ?? ''))].filter(
      (root) => root !== 'node_modules',
    );
    expect((await violationsIn(tree, roots)).map((violation) => violation.split(':')[0])).toContain(rule);
  });
});
