#!/usr/bin/env node
// The one entry of every npm script. Plain and without imports of packages, since it runs on the machine's own Node
// (20 or later) before anything is installed; the work is done under the Node that the project pins.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { constants, setPriority, tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const BIN = join(ROOT, 'node_modules/.bin');
const PINNED_NODE = join(ROOT, `node_modules/node/bin/node${process.platform === 'win32' ? '.exe' : ''}`);
const ENDPOINTS = join(ROOT, '.castiron/endpoints.json');
const ENV = { ...process.env, PATH: `${BIN}${process.platform === 'win32' ? ';' : ':'}${process.env.PATH ?? ''}` };

const OLDEST_NODE = 20;

class Stop extends Error {}

const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));

/** Whether node_modules holds what the lock file says: npm writes down what it installed. */
function isInstalled() {
  const hidden = join(ROOT, 'node_modules/.package-lock.json');
  if (!existsSync(hidden) || !existsSync(PINNED_NODE)) return false;
  const installed = readJson(hidden).packages;
  return Object.entries(readJson(join(ROOT, 'package-lock.json')).packages).every(([path, wanted]) => {
    if (path === '' || !path.includes('node_modules/')) return true;
    const found = installed[path];
    if (found === undefined) return wanted.optional === true || wanted.devOptional === true || wanted.peer === true;
    return found.version === wanted.version && found.integrity === wanted.integrity;
  });
}

function step(what, command, args) {
  const { status, error } = spawnSync(command, args, { cwd: ROOT, env: ENV, stdio: ['ignore', 'inherit', 'inherit'] });
  if (error?.code === 'ENOENT') throw new Stop(`${what} needs ${command}, which is not there.`);
  if (status !== 0) throw new Stop(`${what} failed; what went wrong stands above.`);
}

function install() {
  if (isInstalled()) return;
  console.log('Installing what is missing (npm ci) ...');
  const npm = process.env.npm_execpath;
  if (npm?.endsWith('.js')) step('Installing', process.execPath, [npm, 'ci', '--loglevel=error']);
  else step('Installing', process.platform === 'win32' ? 'npm.cmd' : 'npm', ['ci', '--loglevel=error']);
  if (!existsSync(PINNED_NODE))
    throw new Stop('npm did not run the install script of the package "node"; allow it (npm config ignore-scripts).');
}

const build = () => step('Compiling', PINNED_NODE, [join(ROOT, 'tools/build.mjs')]);

/**
 * Runs a program under the pinned Node, hands signals on, and ends as it ends. The channel tells it when we are
 * gone without a word.
 */
function hand(program, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(PINNED_NODE, ['--enable-source-maps', join(ROOT, program), ...args], {
      cwd: ROOT,
      env: { ...ENV, INIT_CWD: process.env.INIT_CWD ?? process.cwd() },
      stdio: options.channel ? ['inherit', 'inherit', 'inherit', 'ipc'] : 'inherit',
    });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
    child.on('error', (error) => resolve(console.error(error.message) ?? 1));
    child.on('close', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)));
  });
}

const RUNNING_NEEDED = 'Castiron does not run here: start it with "npm start" in another terminal.';

async function token([role, sub]) {
  if (!existsSync(ENDPOINTS)) throw new Stop(RUNNING_NEEDED);
  const { identity, people } = readJson(ENDPOINTS);
  const known = people[role];
  const name = { customer2: 'customer', importer: 'service' }[role] ?? role;
  const id = sub ?? known?.id;
  if (id === undefined)
    throw new Stop(
      `Who? Nobody here is "${role}"; the roles are ${Object.keys(people).join(', ')}. Or: npm run token -- ROLE ID`,
    );
  const response = await fetch(identity.token, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${identity.minting.id}:${identity.minting.secret}`).toString('base64')}`,
    },
    body: new URLSearchParams({ grant_type: 'urn:castiron:local:mint', role: name, sub: id }),
  }).catch(() => {
    throw new Stop(RUNNING_NEEDED);
  });
  const body = await response.json();
  if (!response.ok) throw new Stop(`The identity provider refused: ${body.error_description ?? body.error}`);
  console.log(body.access_token);
  return 0;
}

/**
 * Runs checks that have no cases to count, side by side, in what time others leave them: each passes or fails as a whole.
 * @returns their names, whether each passed, and what it said
 */
function resultsOf(checks) {
  const running = checks.map(async ([name, command, args]) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      env: ENV,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    });
    try {
      if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
    } catch {
      // A system that does not let us runs them like all others.
    }
    const said = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => said.push(bytes));
    const code = await new Promise((resolve) => child.on('error', () => resolve(1)).on('close', resolve));
    return { name, passed: code === 0, said: Buffer.concat(said) };
  });
  return Promise.all(running);
}

/** Counts what vitest wrote down; a file that could not even be read is a failure. */
function countTests(report, status) {
  if (!existsSync(report)) return { seen: new Set(), passed: 0, failed: 1, skipped: [] };
  const { testResults } = readJson(report);
  const tests = testResults.flatMap((file) => file.assertionResults);
  const of = (wanted) => tests.filter(({ status: each }) => each === wanted);
  const brokenFiles = testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((each) => each.status === 'failed'),
  );
  const failed = of('failed').length + brokenFiles.length;
  const seen = new Set(testResults.filter((file) => file.assertionResults.length > 0).map(({ name }) => join(name)));
  return {
    seen,
    passed: of('passed').length,
    // Errors outside of any test show in the exit code alone.
    failed: failed === 0 && status !== 0 ? 1 : failed,
    skipped: tests.filter(({ status: each }) => each !== 'passed' && each !== 'failed').map(({ fullName }) => fullName),
  };
}

/** Every spec file of ours: a project of vitest.config.ts that is empty, or a folder that none covers, must not look like success. */
function specFiles() {
  return ['libs', 'apps', 'examples', 'tools', 'deploy', 'test'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true })
      .filter((file) => file.endsWith('.spec.ts') && !/(^|[\\/])(node_modules|dist)[\\/]/.test(file))
      .map((file) => join(ROOT, folder, file)),
  );
}

async function test(args) {
  const folder = mkdtempSync(join(tmpdir(), 'castiron-report-'));
  const report = join(folder, 'vitest.json');
  const npm = process.env.npm_execpath?.endsWith('.js') ? [process.execPath, process.env.npm_execpath] : ['npm'];
  const npmRun = (name, script) => [name, npm[0], [...npm.slice(1), 'run', '-s', script]];
  const isAll = args.length === 0;
  const checks = resultsOf(isAll ? [npmRun('types', 'typecheck'), npmRun('lint', 'lint')] : []);
  console.log(`\n> tests${isAll ? ', and beside them types and lint, told after them' : ''}`);
  const vitest = spawn(
    PINNED_NODE,
    [
      join(ROOT, 'node_modules/vitest/vitest.mjs'),
      'run',
      // One test run alone would silence the others of its file, the check against that among them.
      '--allowOnly=false',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...args,
    ],
    { cwd: ROOT, env: ENV, stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const status = await new Promise((resolve) => vitest.on('error', () => resolve(1)).on('close', resolve));
  const failedChecks = [];
  for (const check of await checks) {
    console.log(`\n> ${check.name}\n${check.said}`);
    if (!check.passed) failedChecks.push(check.name);
  }
  const { seen, passed, failed, skipped } = countTests(report, status);
  if (isAll) {
    console.log('\n> faults');
    if ((await hand('tools/faults/dist/main.js', ['--seeds', '2'])) !== 0) failedChecks.push('faults');
  }
  rmSync(folder, { recursive: true, force: true });
  const nothing = passed + failed === 0;
  for (const name of skipped) console.log(`skipped: ${name}`);
  for (const name of failedChecks) console.log(`failed: ${name}`);
  if (nothing) console.log('No test ran, and that is a failure.');
  const unseen = !isAll || nothing || failed > 0 ? [] : specFiles().filter((file) => !seen.has(file));
  for (const file of unseen) console.log(`failed: ${relative(ROOT, file)} (none of its tests ran)`);
  const allFailed = failed + failedChecks.length + unseen.length + (nothing ? 1 : 0);
  console.log(`${passed} passed, ${allFailed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`);
  return allFailed === 0 ? 0 : 1;
}

function prepare() {
  install();
  build();
}

/** The compiled program of a tool; built when it is missing, so that a fresh clone can run it too. */
function tool(program, args) {
  if (!existsSync(PINNED_NODE) || !existsSync(join(ROOT, program))) prepare();
  return hand(program, args);
}

const COMMANDS = {
  start: {
    usage: 'npm start [-- --fresh --no-sample]',
    help: `Installs and compiles what is missing, starts Kafka, PostgreSQL, an identity provider, a mail sink and all services,
loads a sample, and says where everything is (also in .castiron/endpoints.json). Ctrl-C stops it all.

  --fresh        begin with no data
  --no-sample    load no sample

CASTIRON_STACK=docker|process chooses how Kafka and PostgreSQL run; unset, Docker where an engine answers.`,
    run: async (args) => {
      for (const arg of args)
        if (!['--fresh', '--no-sample'].includes(arg))
          throw new Stop(`npm start knows no "${arg}"; see npm start -- --help`);
      prepare();
      return hand('deploy/local/dist/start.js', args, { channel: true });
    },
  },
  stack: {
    usage: 'node tools/castiron.mjs stack',
    help: `Runs an empty Kafka, PostgreSQL, identity provider and mail sink, for writing tests:
CASTIRON_TEST_STACK=.castiron/test-stack.json npx vitest --project parts FILE`,
    run: async () => {
      prepare();
      return hand('deploy/local/dist/run-stack.js', [], { channel: true });
    },
  },
  test: {
    usage: 'npm test [-- VITEST-ARGUMENTS]',
    help: 'Types, lint, all tests on real parts, and two seeds of faults; ends with "N passed, N failed". With arguments: only the tests they choose.',
    run: async (args) => {
      prepare();
      return test(args);
    },
  },
  token: {
    usage: 'npm run -s token -- ROLE [ID]',
    help: `Prints a bearer token of 12 hours for local use. ROLE is one of customer, customer2, support, privacy-officer,
auditor, partner, service (the portal), importer; ID is whose token it is (a customer's id, a partner's slug, a
service's name).`,
    run: (args) => {
      if (args.length < 1 || args.length > 2) throw new Stop(`Usage: ${COMMANDS.token.usage}`);
      return token(args);
    },
  },
  import: {
    usage: 'npm run import -- FILE --key COLUMN --door DOOR ...',
    ownHelp: true,
    run: (args) => tool('tools/importer/dist/main.js', args),
  },
  partner: {
    usage: 'npm run partner -- tail SLUG',
    ownHelp: true,
    run: (args) => tool('tools/partner/dist/main.js', args),
  },
  parked: {
    usage: 'npm run parked -- causes|list|show|replay|discard|actions',
    ownHelp: true,
    run: (args) => tool('tools/parked/dist/main.js', args),
  },
  ledger: {
    usage: 'npm run ledger -- verify|proof|replay',
    ownHelp: true,
    run: (args) => tool('tools/ledger/dist/main.js', args),
  },
  recover: {
    usage: 'npm run recover [-- --yes]',
    ownHelp: true,
    run: (args) => tool('tools/recover/dist/main.js', args),
  },
  faults: {
    usage: 'npm run test:faults [-- --seed S --seeds N --rounds N --operations N --plant NAME]',
    ownHelp: true,
    run: (args) => {
      prepare();
      return hand('tools/faults/dist/main.js', args);
    },
  },
  bench: {
    usage: 'npm run bench [-- --quick --with-debezium | disclosures | ledger | feed-compaction | soak | import]',
    ownHelp: true,
    run: (args) => {
      prepare();
      return hand('tools/bench/dist/main.js', args);
    },
  },
};

async function main([name, ...args]) {
  if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE)
    throw new Stop(
      `Castiron needs Node ${OLDEST_NODE} or later, this is ${process.versions.node}; it brings its own for the rest.`,
    );
  const command = Object.hasOwn(COMMANDS, name ?? '') ? COMMANDS[name] : undefined;
  if (command === undefined) {
    console.log(
      `Usage:\n${Object.values(COMMANDS)
        .map(({ usage }) => `  ${usage}`)
        .join('\n')}\n\nEach has --help.`,
    );
    return name === undefined || name === '--help' || name === '-h' || name === 'help' ? 0 : 1;
  }
  if (!command.ownHelp && (args.includes('--help') || args.includes('-h'))) {
    console.log(`${command.usage}\n\n${command.help}`);
    return 0;
  }
  return command.run(args);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Stop)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
