import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '@castiron/local-stack';
import { watchMemory } from '../resident-memory.js';
import { figure, ratio, reachesMust } from '../spine/figure.js';
import { load, machine } from '../spine/machine.js';
import { tableOf } from '../spine/table.js';
import { makeLog } from './make-log.js';

const ROUNDS = 3;
const LEDGER = join(ROOT, 'tools/ledger/dist/main.js');

interface Verified {
  readonly seconds: number;
  readonly peakMiB: number;
}

/** Verifies as anybody does who has a copy, from the start of the process to its end. */
async function verify(folder: string, key: string, entries: number): Promise<Verified> {
  const started = performance.now();
  const verifier = spawn(process.execPath, [LEDGER, 'verify', '--from', folder, '--key', key, '--quiet'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  verifier.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = once(verifier, 'close').then(([code]) => ({ code: code as number, ms: performance.now() - started }));
  const { peak } = await watchMemory(verifier.pid ?? 0);
  const { code, ms } = await ended;
  if (code !== 0 || !said.includes(`all of ${entries} entries`)) throw new Error(`not verified: ${said}`);
  return { seconds: ms / 1000, peakMiB: peak };
}

/** Seconds that SHA-256 alone takes over all that lies there, file by file. */
async function hashOnly(files: readonly string[]): Promise<number> {
  const started = performance.now();
  const hash = createHash('sha256');
  for (const file of files) hash.update(await readFile(file));
  hash.digest();
  return (performance.now() - started) / 1000;
}

async function filesIn(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  return found.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
}

/** @returns whether every must is reached */
export async function benchLedger(entries: number): Promise<boolean> {
  const before = load();
  const folder = join(tmpdir(), `castiron-bench-ledger-${process.pid}-${Date.now()}`);
  try {
    const { key, bytes } = await makeLog(folder, entries, (made) =>
      process.stderr.write(`making the log: ${made} of ${entries} entries\n`),
    );
    const files = await filesIn(folder);
    const [verified, bare]: [Verified[], number[]] = [[], []];
    for (let round = 0; round <= ROUNDS; round += 1) {
      process.stderr.write(round === 0 ? 'warm-up\n' : `round ${round} of ${ROUNDS}\n`);
      const seconds = await hashOnly(files);
      const one = await verify(folder, key, entries);
      if (round === 0) continue;
      bare.push(seconds);
      verified.push(one);
    }
    const seconds = verified.map((one) => one.seconds);
    const what = `${entries.toLocaleString('en')} entries`;
    const figures = [
      figure(`verification of ${what}`, 's', seconds, { direction: 'atMost', must: 60, aim: 10 }),
      figure(`bare SHA-256 over the same bytes, ${what}`, 's', bare),
      ratio('verification / bare SHA-256', seconds, bare),
      figure(
        'memory of the verifier, peak',
        'MiB',
        verified.map((one) => one.peakMiB),
      ),
      figure('a leaf, on average', 'bytes', [bytes / entries]),
    ];
    console.log(`\n${tableOf(figures)}\n\n${JSON.stringify(machine(before))}`);
    return figures.every(reachesMust);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
