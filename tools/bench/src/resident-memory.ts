import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const SAMPLE_MS = 200;
const MIB = 1024;

/** Resident memory of a process in MiB; undefined once it is gone. */
async function residentOf(pid: number): Promise<number | undefined> {
  try {
    const kib =
      process.platform === 'linux'
        ? /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]
        : (await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)])).stdout.trim();
    return kib === undefined ? undefined : Number(kib) / MIB;
  } catch {
    return undefined;
  }
}

export interface Resident {
  readonly peak: number;
  /** Between the lowest and the highest sample after the warm-up, the first fifth of the run. */
  readonly spread: number;
}

/** Samples the memory of a process until it ends. */
export async function watchMemory(pid: number): Promise<Resident> {
  const samples: number[] = [];
  for (let now = await residentOf(pid); now !== undefined; now = await residentOf(pid)) {
    samples.push(now);
    await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
  }
  const warm = samples.slice(Math.floor(samples.length / 5));
  return { peak: Math.max(...samples), spread: Math.max(...warm) - Math.min(...warm) };
}
