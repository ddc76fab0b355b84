import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '@castiron/local-stack';
import { eventually, uniqueSlug } from '@castiron/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Castiron } from '../support/castiron.js';
import { customersFile, randomFrom, type CustomersFile } from '../support/customers-file.js';

const IMPORTER = join(ROOT, 'tools/importer/dist/main.js');
const OPTIONS = [
  ...['--key', 'CIK', '--door', 'service-order', '--set', 'servicesUsed=dedicated server'],
  ...['--map', 'companyName=Name,registeredAddress="HQ address",email=Mail'],
];
const KILLS = 5;
/** One request at a time: what five killed runs leave to the service stays below what the file has. */
const KILLED_RUN = ['--in-flight', '1'];
const LARGEST_STEP = 1 / 20;

const castiron = new Castiron();
const within = { within: 60_000 };
let folder: string;
let profiles: pg.Client;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'castiron-import-flow-'));
  await writeFile(join(folder, 'endpoints.json'), JSON.stringify(castiron.endpoints), { mode: 0o600 });
  profiles = new pg.Client({ connectionString: castiron.endpoints.postgres['customer-profiles'] });
  await profiles.connect();
});
afterAll(async () => {
  await profiles.end();
  await rm(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly text: string;
}

/** Runs the importer as a person would; `interrupt` may end it before its end. */
async function runImporter(
  file: string,
  more: readonly string[] = [],
  interrupt?: (kill: () => void) => void,
): Promise<Ended> {
  const args = [IMPORTER, file, ...OPTIONS, '--endpoints', join(folder, 'endpoints.json'), ...more];
  const importer = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [importer.stdout, importer.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => (text += part));
  interrupt?.(() => importer.kill('SIGKILL'));
  const [code, signal] = (await once(importer, 'close')) as [number | null, string | null];
  return { code, signal, text };
}

/** All that were imported since: numbers are kept as digests, which tell no mark. */
async function imported(since: Date): Promise<{ customers: number; numbers: number }> {
  const { rows } = await profiles.query<{ customers: number; numbers: number }>(
    `SELECT count(*)::int AS customers, count(DISTINCT k.digest)::int AS numbers
       FROM customers c LEFT JOIN import_keys k ON k.customer = c.id
      WHERE c.origin = 'imported' AND c.registered_at >= $1`,
    [since],
  );
  return rows[0] ?? { customers: 0, numbers: 0 };
}

/** Numbers without a customer would be rows done by half. */
async function orphans(): Promise<number> {
  const { rows } = await profiles.query<{ count: number }>(
    `SELECT count(*)::int FROM import_keys k LEFT JOIN customers c ON c.id = k.customer WHERE c.id IS NULL`,
  );
  return rows[0]?.count ?? 0;
}

const summary = (created: number, existing: number, refused: number) =>
  new RegExp(
    `${created.toLocaleString('en')} new, ${existing.toLocaleString('en')} already there, ${refused.toLocaleString('en')} refused`,
  );

// First, while few profiles are on their way to the service that must know a customer before it shares.
describe('an import with permissions', () => {
  it('brings the permitted value to the partner unchanged, and each permission once', async () => {
    const partner = await castiron.registerPartner();
    await castiron.agree(partner, [{ purpose: 'recommendation', attributes: ['companyName'] }]);
    const name = '=HYPERLINK("x"), "Äcorn" & 樫の木';
    const mark = uniqueSlug('n');
    const address = '"1 Oak Street\r\nSpringfield"';
    const customers = join(folder, 'few.csv');
    const quoted = `"${name.replaceAll('"', '""')}"`;
    await writeFile(
      customers,
      `\uFEFFCIK,Name,HQ address,Mail\r\n${mark}1,${quoted},${address},\r\n${mark}2,Elm Ltd,${address},\r\n`,
    );
    const permissions = join(folder, 'permissions.csv');
    await writeFile(
      permissions,
      [
        'key,recipient,purpose,givenAt,how,statement',
        `${mark}1,${partner.slug},recommendation,2024-05-31,"on paper, filed",1`,
        `${mark}2,${partner.slug},recommendation,31.5.2024,on paper,1`,
        `${mark}3,${partner.slug},recommendation,2024-05-31,on paper,1`,
        '',
      ].join('\n'),
    );

    const first = await runImporter(customers, ['--permissions', permissions]);
    expect(first.code, first.text).toBe(0);
    expect(first.text).toContain('1 granted, 0 already there, 2 refused');
    expect(existsSync(join(folder, 'few.refused.csv'))).toBe(false);
    const refused = await readFile(join(folder, 'permissions.refused.csv'), 'utf8');
    expect(refused).toMatch(/^3,givenAt: /m);
    expect(refused).toMatch(/^4,key: /m);
    const feed = await partner.readUntil((messages) => expect(messages).toHaveLength(1));
    expect(feed[0]?.record?.attributes.companyName?.value).toBe(name);

    const again = await runImporter(customers, ['--permissions', permissions]);
    expect(again.text).toMatch(summary(0, 2, 0));
    expect(again.text).toContain('0 granted, 1 already there, 2 refused');
  });
});

describe('an import of an existing customer base', () => {
  // Printed; written here as a constant, it shows a failure again.
  const seed = Date.now() % 1_000_000;
  let since: Date;
  let file: string;
  let content: CustomersFile;

  beforeAll(async () => {
    process.stdout.write(`import: seed ${seed}\n`);
    since = new Date();
    content = customersFile(uniqueSlug('n'), seed);
    file = join(folder, 'customers.csv');
    await writeFile(file, content.text);
  });

  it('takes each customer exactly once, though it is killed at random rows five times', async () => {
    const random = randomFrom(seed);
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const goal = (await imported(since)).customers + 1 + Math.floor(random() * content.good * LARGEST_STEP);
      const reached = async () => (await imported(since)).customers >= goal;
      const { signal, text } = await runImporter(
        file,
        KILLED_RUN,
        (end) => void eventually(reached, within).then(end, end),
      );
      expect(signal, `kill ${kill}, at ${goal} customers: ${text}`).toBe('SIGKILL');
    }
    expect((await imported(since)).customers).toBeLessThan(content.good);

    const last = await runImporter(file);
    expect(last.code, last.text).toBe(0);
    expect(await imported(since)).toEqual({ customers: content.good, numbers: content.good });
    expect(await orphans()).toBe(0);
  }, 180_000);

  it('finds nobody new in the same file again, and says which rows it refused and why', async () => {
    const again = await runImporter(file);
    expect(again.code, again.text).toBe(0);
    expect(again.text).toMatch(summary(0, content.good + content.repeated, content.refused.length));
    expect((await imported(since)).customers).toBe(content.good);

    const [header, ...rows] = (await readFile(join(folder, 'customers.refused.csv'), 'utf8')).trimEnd().split('\n');
    expect(header).toMatch(/^refused line,refused reason,/);
    expect(rows.map((row) => Number(row.split(',', 1)[0]))).toEqual(content.refused.map(({ line }) => line));
    for (const [at, { reason }] of content.refused.entries()) expect(rows[at]).toMatch(reason);
  });

  it('takes mended rows from the file of refused ones', async () => {
    const refused = await readFile(join(folder, 'customers.refused.csv'), 'utf8');
    const mended = join(folder, 'mended.csv');
    await writeFile(mended, refused.replaceAll(/(-\d+),,/g, '$1,Mended Ltd,'));
    const { text } = await runImporter(mended);
    const mendable = content.refused.filter((row) => row.mendable).length;
    expect(text).toMatch(summary(mendable, 0, content.refused.length - mendable));
    expect((await imported(since)).customers).toBe(content.good + mendable);
  });
});
