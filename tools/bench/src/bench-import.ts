import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, startCastiron, startStack, type Endpoints } from '@castiron/local-stack';
import pg from 'pg';
import { CUSTOMER_TABLES, insertAllAgain, KEY_TABLES, type Inserted } from './bare-insert.js';
import { MAPPING, writeCustomers } from './generated-customers.js';
import { watchMemory, type Resident } from './resident-memory.js';

const IMPORTER = join(ROOT, 'tools/importer/dist/main.js');
const FLAT_WITHIN_MIB = 50;

const load = () => loadavg()[0]?.toFixed(1) ?? '?';
const count = (n: number) => Math.round(n).toLocaleString('en');
const rate = (rows: number, ms: number) => `${count((rows * 1000) / ms)} customers/s`;

async function connected<T>(url: string | undefined, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Runs the importer as a person would, and watches its memory. */
async function runImporter(folder: string, rows: number): Promise<Resident & { readonly ms: number }> {
  const file = join(folder, 'customers.csv');
  await writeCustomers(file, rows);
  const args = [IMPORTER, file, ...MAPPING, '--endpoints', join(folder, 'endpoints.json')];
  const started = performance.now();
  const importer = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const ended = once(importer, 'close');
  const memory = await watchMemory(importer.pid ?? 0);
  const [code] = (await ended) as [number | null];
  if (code !== 0) throw new Error(`the importer ended with ${code}`);
  return { ...memory, ms: performance.now() - started };
}

/** Imports, then inserts again what that left behind. */
async function measure(folder: string, endpoints: Endpoints, rows: number) {
  await writeFile(join(folder, 'endpoints.json'), JSON.stringify(endpoints), { mode: 0o600 });
  return connected(endpoints.postgres['customer-profiles'], async (client) => {
    // Whoever reads the outbox keeps its partitions from being dropped, for else the bare script would have less to do.
    await client.query('BEGIN; SELECT FROM outbox LIMIT 1');
    const imported = await runImporter(folder, rows);
    await client.query('COMMIT');
    console.log(`load ${load()} between import and bare script`);
    const customers = await insertAllAgain(client, CUSTOMER_TABLES);
    const keys = await connected(endpoints.postgres['customer-keys'], (store) => insertAllAgain(store, KEY_TABLES));
    const bare: Inserted = { rows: customers.rows + keys.rows, ms: customers.ms + keys.ms };
    return { imported, bare };
  });
}

/** @returns whether the importer's memory stayed flat */
export async function benchImport(rows: number, all: boolean): Promise<boolean> {
  const folder = join(tmpdir(), `castiron-bench-${process.pid}-${Date.now()}`);
  const stack = await startStack({ dataDir: folder });
  try {
    const castiron = await startCastiron(stack, all ? {} : { services: ['customer-profiles'] });
    try {
      console.log(`load ${load()} on ${availableParallelism()} cores before the start`);
      const { imported, bare } = await measure(folder, castiron.endpoints, rows);
      console.log(`load ${load()} at the end`);
      const flat = imported.spread <= FLAT_WITHIN_MIB;
      console.log(`import        ${rate(rows, imported.ms)} (${(imported.ms / 1000).toFixed(1)} s)`);
      console.log(
        `bare script   ${rate(rows, bare.ms)} (${(bare.ms / 1000).toFixed(1)} s for ${count(bare.rows)} rows)`,
      );
      console.log(`ratio         the import takes ${(imported.ms / bare.ms).toFixed(2)} times as long`);
      console.log(
        `memory        peak ${imported.peak.toFixed(0)} MiB; after the warm-up ${flat ? 'flat' : 'NOT FLAT'} within ${imported.spread.toFixed(0)} MiB`,
      );
      return flat;
    } finally {
      await castiron.stop();
    }
  } finally {
    await stack.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
