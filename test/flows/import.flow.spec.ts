import { ROOT } from '@castiron/local-stack';
import { uniqueSlug } from '@castiron/testing';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Castiron, valuesOf } from '../support/castiron.js';

const castiron = new Castiron();
const IMPORTER = join(ROOT, 'tools/importer/dist/main.js');
const OPTIONS = ['--key', 'CIK', '--door', 'service-order', '--map', 'companyName=Name,registeredAddress=HQ address'];
const CONSTANT = ['--set', 'servicesUsed=dedicated server'];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'castiron-import-flow-'));
  await writeFile(join(folder, 'endpoints.json'), JSON.stringify(castiron.endpoints), { mode: 0o600 });
});
afterAll(() => rm(folder, { recursive: true }));

const written = async (name: string, text: string) => {
  await writeFile(join(folder, name), text);
  return join(folder, name);
};

/** Runs the importer as a person would; `kill` ends it as a crash of the machine does, once it has said how far it is. */
async function importing(file: string, more: readonly string[] = [], kill?: () => Promise<unknown>) {
  const args = [IMPORTER, file, ...OPTIONS, ...CONSTANT, '--endpoints', join(folder, 'endpoints.json'), ...more];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const closed = once(child, 'close');
  if (kill !== undefined) {
    await kill();
    child.kill('SIGKILL');
  }
  const [code] = (await closed) as [number | null];
  return { code, said };
}

/** How many customers came by import, whoever's they are: more than there are keys would be a double. */
async function counted(): Promise<{ customers: number; keys: number }> {
  const client = new pg.Client({ connectionString: castiron.endpoints.postgres['customer-profiles'] });
  await client.connect();
  try {
    const { rows } = await client.query<{ customers: number; keys: number }>(
      `SELECT (SELECT count(*)::int FROM customers WHERE origin = 'imported') AS customers,
              (SELECT count(*)::int FROM import_keys) AS keys`,
    );
    return rows[0] ?? { customers: 0, keys: 0 };
  } finally {
    await client.end();
  }
}

describe('bringing in an existing customer base', () => {
  it('takes each customer exactly once, killed five times at random rows and run again', async () => {
    const run = uniqueSlug();
    const rows = Array.from({ length: 4_000 }, (_, n) => `${run}-${n},Company ${n},"${n} Oak Street\r\nSpringfield"`);
    const file = await written('killed.csv', `\uFEFFCIK,Name,HQ address\r\n${rows.join('\r\n')}\r\n`);
    const before = await counted();

    for (let kill = 0; kill < 5; kill += 1) {
      const { customers } = await counted();
      // At a row of its own each time: whatever the speed of the machine, a few hundred more rows and some.
      const goal = Math.min(customers + Math.floor(Math.random() * 600), before.customers + rows.length - 200);
      await importing(file, ['--in-flight', '2'], async () => {
        while ((await counted()).customers < goal);
      });
    }
    const last = await importing(file);
    expect(last.code, last.said).toBe(0);
    expect(last.said).toContain('0 refused');
    const after = await counted();
    expect({ customers: after.customers - before.customers, keys: after.keys - before.keys }).toEqual({
      customers: rows.length,
      keys: rows.length,
    });

    const again = await importing(file);
    expect(again.said).toContain('0 new, 4,000 already there, 0 refused');
    expect(await counted()).toEqual(after);
  }, 120_000);

  it('brings permissions along, and says which rows it refused and why', async () => {
    const run = uniqueSlug();
    const partner = await castiron.registerPartner();
    await castiron.agree(partner, [{ purpose: 'recommendation', attributes: ['companyName', 'servicesUsed'] }]);
    const customers = await written(
      'small.csv',
      `CIK,Name,HQ address\n${run}-1,=1+1,x\n${run}-2,,y\n${run}-3,Plain,z\n`,
    );
    const permissions = await written(
      'permissions.csv',
      [
        'key,recipient,purpose,givenAt,how,statement',
        `${run}-1,${partner.slug},recommendation,2026-01-31,paper form,1`,
        `${run}-2,${partner.slug},recommendation,2026-01-31,paper form,1`,
        `${run}-3,${partner.slug},fun,2026-01-31,paper form,1`,
        '',
      ].join('\n'),
    );

    const { said } = await importing(customers, ['--permissions', permissions]);
    expect(said).toContain('2 new, 0 already there, 1 refused');
    expect(said).toContain('1 granted, 0 already there, 2 refused');
    expect(await readFile(join(folder, 'small.refused.csv'), 'utf8')).toMatch(/\n3,.*companyName/);
    const refused = await readFile(join(folder, 'permissions.refused.csv'), 'utf8');
    expect(refused).toMatch(/\n3,key: no customer .*\n4,.*purpose: none of/s);

    const feed = await partner.readUntil((messages) => expect(messages).toHaveLength(1));
    expect(valuesOf(feed[0])).toEqual({ companyName: '=1+1', servicesUsed: 'dedicated server' });
  });
});
