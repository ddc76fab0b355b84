import { readFile } from 'node:fs/promises';

/** What the person at the keyboard can mend. */
export class Mistake extends Error {
  override readonly name = 'Mistake';
}

export interface Service {
  readonly name: string;
  readonly url: string;
  readonly token: string;
}

/** As a service tells it: `GET /recovery`. */
export interface Recovery {
  readonly fenced: boolean;
  readonly because?: {
    readonly reason: 'behind' | 'unread';
    readonly gaps?: readonly { topic: string; records: number; from: string; until: string }[];
    readonly found?: string;
  };
  readonly run?: {
    readonly state: 'running' | 'done' | 'failed';
    readonly dryRun: boolean;
    readonly phase: string;
    readonly counts: Readonly<Record<string, number>>;
    readonly notes: readonly string[];
    readonly window?: { readonly from: string; readonly lagMs: number };
  };
}

interface EndpointsFile {
  readonly services?: Readonly<Record<string, { readonly url?: string } | undefined>>;
  readonly people?: Readonly<Record<string, { readonly token?: string } | undefined>>;
}

export const TOKEN_VARIABLE = 'CASTIRON_TOKEN';

/** @param wanted names of services; none: all */
export async function readServices(
  file: string,
  wanted: readonly string[],
  token: string | undefined,
): Promise<readonly Service[]> {
  let content: EndpointsFile | null;
  try {
    content = JSON.parse(await readFile(file, 'utf8')) as EndpointsFile | null;
  } catch {
    throw new Mistake(`Cannot read ${file}: is Castiron running? Start it with "npm start".`);
  }
  const bearer = token ?? content?.people?.['privacy-officer']?.token;
  if (bearer === undefined) throw new Mistake(`No token: put a privacy officer's into ${TOKEN_VARIABLE}.`);
  const found = Object.entries(content?.services ?? {}).flatMap(([name, service]) =>
    service?.url === undefined ? [] : [{ name, url: service.url, token: bearer }],
  );
  const unknown = wanted.filter((name) => !found.some((service) => service.name === name));
  if (unknown.length > 0)
    throw new Mistake(
      `No service is called ${unknown.join(', ')}; there are ${found.map(({ name }) => name).join(', ')}.`,
    );
  return wanted.length === 0 ? found : found.filter(({ name }) => wanted.includes(name));
}

/**
 * Asks a service how it stands, or has it recover.
 * @returns undefined where it is none that can be restored
 * @throws Mistake with the service's own words where it refuses, or where it does not answer
 */
export async function ask({ name, url, token }: Service, body?: { dryRun: boolean }): Promise<Recovery | undefined> {
  let response: Response;
  try {
    response = await fetch(`${url}/recovery`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  } catch {
    throw new Mistake(`${name} does not answer at ${url}.`);
  }
  const answer = (await response.json().catch(() => null)) as (Recovery & { code?: string; detail?: string }) | null;
  if (response.status === 404 && answer?.code === 'no-such-route') return undefined;
  if (!response.ok || answer === null)
    throw new Mistake(`${name}: ${answer?.detail ?? answer?.code ?? `answered ${response.status} at ${url}`}`);
  return answer;
}
