import { bundlePath, NotInLog, tilePath, type LogSource } from '@castiron/ledger';
import { Mistake } from './mistake.js';

const WITHIN_MS = 30_000;

/** What a server gives below its address. */
export async function fetched(address: string, path: string): Promise<Buffer> {
  const url = `${address.replace(/\/$/, '')}/${path}`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(WITHIN_MS) }).catch((error: unknown) => {
    throw new Mistake(`${url} does not answer: ${error instanceof Error ? error.message : String(error)}`);
  });
  if (answer.status === 404) throw new NotInLog(`${url} is not there`);
  if (!answer.ok) throw new Mistake(`${url} answers ${answer.status}`);
  return Buffer.from(await answer.arrayBuffer());
}

/** A log on a server (C2SP tlog-tiles). */
export const httpLog = (address: string): LogSource => ({
  checkpoint: () => fetched(address, 'checkpoint'),
  tile: (tile) => fetched(address, tilePath(tile)),
  bundle: (bundle) => fetched(address, bundlePath(bundle)),
});
