import { byKey } from '../check/by-key.js';
import type { Mail } from '../check/observed.js';
import type { Databases } from './databases.js';

/** What a worker that died had claimed is left alone for a minute, and the next one looks each second. */
export const CLAIMED_FOR_S = 70;
const CLAIMED = `status = 'sending' AND claimed_at > clock_timestamp() - interval '${CLAIMED_FOR_S} s'`;

/** Mails that have not come to an end, but for those that wait for an hour, in doubt. */
const OPEN_MAILS = `SELECT count(*)::int AS n FROM mails
  WHERE status IN ('waiting', 'queued', 'sending') AND NOT (status = 'queued' AND in_doubt)`;

/** Those that a worker may have in its hands are waited for only where there is time for what a dead one had to be free again. */
export const openMailsWithin = (ms: number): string =>
  ms > 2 * CLAIMED_FOR_S * 1_000 ? OPEN_MAILS : `${OPEN_MAILS} AND NOT (${CLAIMED})`;

export const mailsIn = (databases: Databases): Promise<Mail[]> =>
  databases.query<Mail & { [name: string]: unknown }>(
    'notifications',
    `SELECT id, subject, notice, status, attempts, ${CLAIMED} AS "isClaimed",
       (extract(epoch FROM created_at) * 1000)::float8 AS "createdAt", in_doubt OR status = 'in-doubt' AS "isInDoubt" FROM mails ORDER BY created_at`,
  );

interface Letter {
  readonly to: readonly { readonly address: string }[];
  readonly headers: Readonly<Record<string, string>>;
}

/** To which address each mail came to the mail server, each time, by its id, which its Message-ID begins with. */
export async function lettersIn(api: string): Promise<Map<string, string[]>> {
  const letters = (await (await fetch(api)).json()) as Letter[];
  const idOf = ({ headers }: Letter): string => /^<([^@]*)@/.exec(headers['message-id'] ?? '')?.[1] ?? '';
  const addressOf = ({ to }: Letter): string => to.map(({ address }) => address).join();
  return new Map([...byKey(letters, idOf)].map(([id, own]) => [id, own.map(addressOf)]));
}

/** Earlier runs are none of ours, and with all of them the list grows long. */
export async function throwLettersAway(api: string): Promise<void> {
  const { ok, status } = await fetch(`${api}/all`, { method: 'DELETE' });
  if (!ok) throw new Error(`the mail server does not throw away what it has: ${status}`);
}
