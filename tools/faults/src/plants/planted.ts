import { readFile } from 'node:fs/promises';
import type { Anomaly } from '../check/observed.js';
import type { Cluster } from '../rig/cluster.js';
import { plantedIn, thrownIn, type Edit } from './plants.js';

/** Letters of a line that says what an edit broke. */
const SHOWN = 200;

/** Beside this file when compiled; the replicas are, whatever runs the rig. */
export const preloadOf = (plant: string): string =>
  new URL(`../../dist/plants/preload.js?plant=${plant}`, import.meta.url).href;

/** A bug that was not planted is none that could be found. */
export async function mustBePlanted(edits: readonly Edit[], cluster: Cluster): Promise<void> {
  const logs = await Promise.all(
    cluster.replicas.map(async ({ name, service, log }) => ({ name, service, text: await readFile(log, 'utf8') })),
  );
  for (const { file } of edits) {
    const app = /^apps\/([^/]+)\//.exec(file)?.[1];
    // customer-profiles may not load all that belongs to reading.
    const missing = logs.find(
      ({ service, text }) =>
        service === (app ?? service) && (app ?? service) !== 'customer-profiles' && !text.includes(plantedIn(file)),
    );
    if (missing !== undefined) throw new Error(`${missing.name} runs without the bug in ${file}`);
  }
}

/** What an edit broke that was to be a bug of another kind: a process that is tried again may live on with it. */
export async function brokenBy(cluster: Cluster): Promise<Anomaly[]> {
  const logs = await Promise.all(
    cluster.replicas.map(async ({ name, log }) => ({ name, line: thrownIn(await readFile(log, 'utf8')) })),
  );
  return logs.flatMap(({ name, line }) =>
    line === undefined ? [] : [{ kind: 'crashed', what: `${name} says: ${line.slice(0, SHOWN)}` } as const],
  );
}
