import { readFile } from 'node:fs/promises';
import { Mistake } from './mistake.js';

export const TOKEN_VARIABLE = 'CASTIRON_TOKEN';

/** Where an entry is decided again, and as whom. */
export interface Staff {
  readonly url: string;
  readonly token: string;
}

/** What partner-sharing answers, `GET /ledger/entries/:entry/replay`. */
interface Replay {
  readonly entry: string;
  readonly kind: string;
  readonly at: string;
  readonly recipient: string;
  readonly answer: 'same' | 'differs' | 'other-policy' | 'not-replayable';
  readonly because?: 'erased' | 'not-kept' | 'no-decision';
  readonly of?: string;
  readonly policyVersion: { readonly ofEntry: string; readonly now: string };
  readonly differences: readonly Difference[];
}

interface Difference {
  readonly attribute: string;
  readonly purpose: string;
  readonly ground: string;
  readonly allowedBy: 'entry' | 'decision';
  readonly refusals: readonly { readonly clause: string; readonly because: string }[];
}

interface EndpointsFile {
  readonly services?: Readonly<Record<string, { readonly url?: string } | undefined>>;
  readonly people?: Readonly<Record<string, { readonly token?: string } | undefined>>;
}

/** @throws Mistake */
export async function readStaff(file: string, token: string | undefined): Promise<Staff> {
  let content: EndpointsFile | null;
  try {
    content = JSON.parse(await readFile(file, 'utf8')) as EndpointsFile | null;
  } catch {
    throw new Mistake(`Cannot read ${file}: is Castiron running? Start it with "npm start".`);
  }
  const url = content?.services?.['partner-sharing']?.url;
  if (url === undefined) throw new Mistake(`${file} does not say where partner-sharing is.`);
  const bearer = token ?? content?.people?.['auditor']?.token ?? content?.people?.['privacy-officer']?.token;
  if (bearer === undefined)
    throw new Mistake(`No token: put an auditor's or a privacy officer's into ${TOKEN_VARIABLE}.`);
  return { url, token: bearer };
}

async function ask({ url, token }: Staff, entry: string): Promise<Replay> {
  const response = await fetch(`${url}/ledger/entries/${encodeURIComponent(entry)}/replay`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(30_000),
  }).catch((error: unknown) => {
    throw new Mistake(`${url} does not answer: ${error instanceof Error ? error.message : String(error)}`);
  });
  const answer = (await response.json().catch(() => null)) as (Replay & { detail?: string }) | null;
  if (!response.ok || answer === null)
    throw new Mistake(answer?.detail ?? `${url} answered ${response.status}. Is that its address?`);
  return answer;
}

const WHY_NOT: Readonly<Record<NonNullable<Replay['because']>, string>> = {
  erased: 'its customer is erased, and what it was decided on with them',
  'not-kept': 'what it was decided on is not kept: it is older than that, or no release made it',
  'no-decision': 'it was not decided, but tells what became of another entry',
};

function lineOf({ attribute, purpose, ground, allowedBy, refusals }: Difference): string {
  const what = `  ${attribute} for ${purpose} (${ground})`;
  if (allowedBy === 'decision') return `${what}: allowed, and the entry does not say it goes`;
  const why = refusals.map(({ clause, because }) => `${because} [${clause}]`);
  return `${what}: the entry says it goes, and ${why.length > 0 ? why.join('; ') : 'nobody asked for it'}`;
}

function headOf({ entry, kind, at, recipient, answer, because, of, policyVersion, differences }: Replay): string {
  const which = `entry ${entry} (${kind}, ${recipient}, ${at})`;
  switch (answer) {
    case 'same':
      return `${which}: the same decision, by policy ${policyVersion.now}.`;
    case 'differs':
      return `${which}: NOT what is decided by policy ${policyVersion.now} on the facts of then.`;
    case 'other-policy': {
      const by = differences.length > 0 ? 'which says otherwise' : 'which says the same';
      return `${which}: decided by policy ${policyVersion.ofEntry}; now it is ${policyVersion.now}, ${by}.`;
    }
    case 'not-replayable':
      return `${which}: not replayable: ${WHY_NOT[because ?? 'not-kept']}${of === undefined ? '' : ` (${of})`}.`;
  }
}

const EXIT_CODES: Readonly<Record<Replay['answer'], number>> = {
  same: 0,
  differs: 1,
  'other-policy': 2,
  'not-replayable': 2,
};

/**
 * Has an entry decided again, and says what came of it.
 * @returns 0: the same; 1: another; 2: it cannot be told
 * @throws Mistake
 */
export async function replay(staff: Staff, entry: string, say: (line: string) => void): Promise<number> {
  const answer = await ask(staff, entry);
  say(headOf(answer));
  for (const difference of answer.differences) say(lineOf(difference));
  return EXIT_CODES[answer.answer];
}
