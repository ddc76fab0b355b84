import { readFile } from 'node:fs/promises';

/** What the person at the keyboard can mend. */
export class Mistake extends Error {
  override readonly name = 'Mistake';
}

/** One service's routes for parked messages. */
export interface Service {
  readonly name: string;
  readonly url: string;
}

export interface Settings {
  readonly services: readonly Service[];
  readonly token: string;
}

interface EndpointsFile {
  readonly services?: Readonly<Record<string, { readonly url?: string } | undefined>>;
  readonly people?: Readonly<Record<string, { readonly token?: string } | undefined>>;
}

export const TOKEN_VARIABLE = 'CASTIRON_TOKEN';

/** @param wanted names of services; none: all that have an inbox */
export async function readSettings(
  file: string,
  wanted: readonly string[],
  token: string | undefined,
): Promise<Settings> {
  let content: EndpointsFile | null;
  try {
    content = JSON.parse(await readFile(file, 'utf8')) as EndpointsFile | null;
  } catch {
    throw new Mistake(`Cannot read ${file}: is Castiron running? Start it with "npm start".`);
  }
  const found = Object.entries(content?.services ?? {}).flatMap(([name, service]) =>
    service?.url === undefined ? [] : [{ name, url: service.url }],
  );
  const unknown = wanted.filter((name) => !found.some((service) => service.name === name));
  if (unknown.length > 0)
    throw new Mistake(
      `No service is called ${unknown.join(', ')}; there are ${found.map(({ name }) => name).join(', ')}.`,
    );
  const bearer = token ?? content?.people?.['privacy-officer']?.token;
  if (bearer === undefined) throw new Mistake(`No token: put a privacy officer's into ${TOKEN_VARIABLE}.`);
  const services = wanted.length === 0 ? found : found.filter(({ name }) => wanted.includes(name));
  return { services, token: bearer };
}

/**
 * Asks one service.
 * @returns undefined where the service has no inbox
 * @throws Mistake with the service's own words where it refuses, or where it does not answer
 */
export async function ask<Answer>(
  service: Service,
  token: string,
  path: string,
  body?: object,
): Promise<Answer | undefined> {
  let response: Response;
  try {
    response = await fetch(`${service.url}/parked-messages${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  } catch {
    throw new Mistake(`${service.name} does not answer at ${service.url}.`);
  }
  const answer = (await response.json().catch(() => null)) as { code?: string; detail?: string } | null;
  if (response.status === 404 && answer?.code === 'no-such-route') return undefined;
  if (!response.ok || answer === null)
    throw new Mistake(
      `${service.name}: ${answer?.detail ?? answer?.code ?? `answered ${response.status} at ${service.url}. Is that its address?`}`,
    );
  return answer as Answer;
}
