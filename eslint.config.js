import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** What a file must not do, each with the way that is right here. */
const queryRunners = {
  selector: 'CallExpression[callee.property.name="createQueryRunner"]',
  message: 'A query runner that is not released leaks its connection: use dataSource.transaction().',
};
const sleeps = {
  selector: 'NewExpression[callee.name="Promise"] CallExpression[callee.name="setTimeout"]',
  message: 'A test waits for the effect with eventually(), it does not sleep.',
};
const surroundings = [
  'NewExpression[callee.name="Date"][arguments.length=0]',
  'CallExpression[callee.object.name="Date"][callee.property.name="now"]',
  'CallExpression[callee.object.name="Math"][callee.property.name="random"]',
  'CallExpression[callee.name=/^(randomUUID|randomBytes|uuidv7|fetch)$/]',
].map((selector) => ({ selector, message: 'Time, randomness and ids come in as arguments of a decision.' }));
const environment = {
  object: 'process',
  property: 'env',
  message: 'Settings are parsed once, in config.ts.',
};
const imports = [
  { name: 'node:process', importNames: ['env'], message: environment.message },
  { name: 'process', message: 'Import node:process, and the environment in config.ts only.' },
  { name: 'class-validator', importNames: ['IsOptional'], message: 'It lets null through: use CanBeLeftOut().' },
];

/** Only what may set up a process for itself reads the environment: settings, the local stack, tools, and test set-up. */
const READS_ENVIRONMENT = [
  '**/config.ts',
  '**/config.spec.ts',
  'deploy/**',
  'tools/**',
  'libs/testing/**',
  '*.config.{js,ts}',
];

export default defineConfig(
  globalIgnores(['**/dist/', '**/.castiron/', '**/coverage/', '**/node_modules/']),
  {
    files: ['**/*.ts'],
    // The rules that use types find floating promises; one program for the whole tree keeps them affordable.
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: ['error', 'always'],
      'no-console': 'error',
      'no-restricted-properties': ['error', environment],
      'no-restricted-imports': ['error', { paths: imports }],
      'no-restricted-syntax': ['error', queryRunners],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // An async method that awaits nothing still keeps an interface's promise.
      '@typescript-eslint/require-await': 'off',
      // Rows of raw SQL arrive as any and get their type where they are assigned; using them untyped stays an error.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
    },
  },
  {
    files: ['**/*.spec.ts'],
    rules: {
      'no-restricted-syntax': ['error', queryRunners, sleeps],
      'no-restricted-imports': [
        'error',
        { paths: [...imports, { name: 'node:timers/promises', message: sleeps.message }] },
      ],
    },
  },
  {
    files: READS_ENVIRONMENT,
    rules: { 'no-restricted-properties': 'off', 'no-restricted-imports': 'off' },
  },
  {
    // A tool's screen is its purpose; services log.
    files: ['deploy/**', 'tools/**', 'examples/**', '*.config.{js,ts}'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['**/*.{js,mjs}'],
    extends: [tseslint.configs.base],
    rules: { eqeqeq: ['error', 'always'], '@typescript-eslint/no-unused-vars': 'error' },
  },
  {
    // Decisions and clauses are policy: time, randomness and ids come in as arguments. (Their imports are dependency-cruiser's matter.)
    files: ['**/*.decision.ts', '**/decision.ts', '**/*.clause.ts'],
    rules: { 'no-restricted-syntax': ['error', queryRunners, ...surroundings] },
  },
);
