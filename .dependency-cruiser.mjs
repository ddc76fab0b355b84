/**
 * The arrows of the tree. `test/architecture/arrows.spec.ts` plants a violation of each rule and checks that it is seen.
 * @type {import('dependency-cruiser').IConfiguration}
 */
export default {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'A cycle makes two files one that nobody can read by itself.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-app-to-app',
      comment: 'Services meet on topics and over HTTP, never in code.',
      severity: 'error',
      from: { path: '^(apps|examples)/([^/]+)/' },
      to: { path: '^(apps|examples)/', pathNot: '^$1/$2/' },
    },
    {
      name: 'apps-import-libs-only',
      comment: 'An app stands on libraries; tools, deployment and test folders stand on it.',
      severity: 'error',
      from: { path: '^(apps|examples)/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^(tools|deploy|test)/|^libs/testing/' },
    },
    {
      name: 'libs-import-libs-only',
      comment: 'A library knows no app. Only the testing library knows the local stack.',
      severity: 'error',
      from: { path: '^libs/', pathNot: '^libs/testing/' },
      to: { path: '^(apps|examples|tools|deploy|test)/' },
    },
    {
      name: 'testing-only-in-tests',
      comment: 'What helps a test has no place in what runs.',
      severity: 'error',
      from: { path: '^(libs|apps|examples|tools|deploy)/', pathNot: '^libs/testing/|\\.spec\\.ts$' },
      to: { path: '^libs/testing/' },
    },
    {
      name: 'libraries-by-their-entry',
      comment:
        "A library's index.ts is what it promises; the rest may change any day. The bare client of the bench takes one patch of ours and nothing else.",
      severity: 'error',
      from: {
        path: '^(libs|apps|examples|tools|deploy|test)/([^/]+)/',
        pathNot: ['\\.spec\\.ts$', '^tools/bench/src/spine/bare-client\\.ts$'],
      },
      to: { path: '^libs/[^/]+/', pathNot: ['^libs/[^/]+/(src/index\\.ts|dist/index\\.js)$', '^$1/$2/'] },
    },
    {
      name: 'libraries-by-their-entry-in-specs',
      comment: 'A spec may also use what a library keeps in its folder testing/ for the specs of others.',
      severity: 'error',
      from: { path: '^(libs|apps|examples|tools|deploy|test)/([^/]+)/.*\\.spec\\.ts$' },
      to: {
        path: '^libs/[^/]+/',
        pathNot: ['^libs/[^/]+/(src/index\\.ts|dist/index\\.js|src/testing/.*)$', '^$1/$2/'],
      },
    },
    {
      name: 'kafka-clients-only-in-libs-kafka',
      comment: 'The clients have their faults; one place keeps them in check. The bench measures against the bare one.',
      severity: 'error',
      from: { pathNot: '^libs/kafka/|^tools/bench/src/spine/bare-client\\.ts$' },
      to: { path: '(^|/)node_modules/(kafkajs|@platformatic/kafka)(/|$)|^(kafkajs|@platformatic/kafka)' },
    },
    {
      name: 'decisions-are-pure',
      comment: 'A decision is a function of facts, command and time: no framework, database, broker or network.',
      severity: 'error',
      from: { path: '[./](decision|clause)\\.ts$|^libs/ledger/src/|^libs/contracts/src/', pathNot: '\\.spec\\.ts$' },
      to: {
        path: [
          '(^|/)node_modules/(@nestjs|typeorm|pg|rxjs|fastify|nodemailer|kafkajs|@platformatic)(/|$)',
          '^(@nestjs|typeorm|pg|rxjs|fastify|nodemailer|kafkajs|@platformatic)(/|$)',
          '^libs/(kafka|transactions|outbox|inbox|service|access|testing|observability)/',
          '^(node:)?(fs|http|https|net|child_process)(/|$)',
        ],
      },
    },
    {
      name: 'publishing-only-through-the-outbox',
      comment:
        'An app publishes in its transaction; only the release of feeds and the start of a service hold the broker themselves.',
      severity: 'error',
      from: { path: '\\.(use-case|handler|controller|command)\\.ts$' },
      to: { path: '^libs/(kafka|outbox)/' },
    },
    {
      name: 'no-unresolvable',
      comment: 'An import that leads nowhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-undeclared-package',
      comment: "What a workspace imports stands in its package.json (the root's are for tests and tools).",
      severity: 'error',
      from: { path: '^(libs|apps|examples|tools|deploy)/[^/]+/', pathNot: '\\.spec\\.ts$' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'tests-stay-out',
      comment: 'Nothing imports a test.',
      severity: 'error',
      from: {},
      to: { path: '\\.spec\\.ts$' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|coverage|\\.castiron)/' },
    tsConfig: { fileName: 'tsconfig.json' },
    // Types count: a type of the broker's client in a decision is an arrow too.
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'node', 'require', 'default', 'types'],
      extensions: ['.ts', '.mts', '.js', '.mjs', '.cjs', '.json', '.d.ts'],
    },
  },
};
