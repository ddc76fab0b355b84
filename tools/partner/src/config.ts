import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { topicsOfRecipient } from '@castiron/contracts';
import type { KafkaSettings } from '@castiron/kafka';

/** What the command line says of how to get in. */
export interface ConnectOptions {
  readonly endpoints: string;
  readonly bootstrap?: string;
  readonly username?: string;
  readonly ssl?: boolean;
}

export interface TailOptions extends ConnectOptions {
  readonly file?: string;
  readonly once?: boolean;
  readonly color: boolean;
}

/** The name of the variable that holds the password: on a command line others could read it. */
export const PASSWORD_VARIABLE = 'CASTIRON_PARTNER_PASSWORD';

/** Something that the person can put right. */
export class Mistake extends Error {
  override readonly name = 'Mistake';
}

interface LocalEndpoints {
  readonly kafka?: { readonly bootstrap?: string };
  readonly recipients?: Readonly<Record<string, { readonly username?: string; readonly password?: string }>>;
}

async function localEndpoints(path: string): Promise<LocalEndpoints> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return {};
  try {
    return (JSON.parse(text) as LocalEndpoints | null) ?? {};
  } catch {
    throw new Mistake(`${path} is not JSON`);
  }
}

export interface TailSettings {
  readonly slug: string;
  readonly topics: { readonly feed: string; readonly duties: string };
  readonly kafka: KafkaSettings;
  readonly file: string;
}

/** The partner's own broker credentials: from the command line and the environment, else those of the local stack. */
export async function readSettings(
  slug: string,
  options: ConnectOptions & Pick<TailOptions, 'file'>,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<TailSettings> {
  let topics;
  try {
    topics = topicsOfRecipient(slug);
  } catch {
    throw new Mistake(`"${slug}" is not a recipient's name: lower-case letters, digits and hyphens`);
  }
  // npm runs scripts in the repository's folder; the paths that a person typed are meant from where they stood.
  const here = (path: string): string => resolve(env['INIT_CWD'] ?? process.cwd(), path);
  const endpoints = here(options.endpoints);
  const local = await localEndpoints(endpoints);
  const known = local.recipients?.[slug];
  const bootstrap = options.bootstrap ?? local.kafka?.bootstrap;
  const username = options.username ?? known?.username;
  const password = env[PASSWORD_VARIABLE] ?? known?.password;
  if (bootstrap === undefined) {
    throw new Mistake(
      `Where is Kafka? ${endpoints} is not there or names none (does Castiron run? "npm start"), and there is no --bootstrap.`,
    );
  }
  if (username === undefined || password === undefined) {
    const names = Object.keys(local.recipients ?? {});
    const hint = names.length > 0 ? ` The recipients here are ${names.join(', ')}.` : '';
    throw new Mistake(
      `No credentials for "${slug}".${hint} Or give --username, and the password in ${PASSWORD_VARIABLE}.`,
    );
  }
  return {
    slug,
    topics: { feed: topics.feed.name, duties: topics.duties.name },
    kafka: {
      brokers: bootstrap.split(','),
      clientId: `partner-${slug}`,
      username,
      password,
      ssl: options.ssl ?? false,
    },
    file: here(options.file ?? `partner-${slug}.json`),
  };
}
